"""DynamoDB's data plane without the SDK's layers: the same calls, retries and errors, at a tenth of their CPU time."""
