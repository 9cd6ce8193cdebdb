"""What the machines around the service ask: is it alive, is it ready?"""
