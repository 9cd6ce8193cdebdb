"""How often somebody may try: counters in DynamoDB, quotas for mail, devices that are known, coarse limits in front."""
