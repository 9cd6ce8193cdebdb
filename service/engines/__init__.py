"""The embedded DynamoDB engine of ``keyturn dev`` and of the tests: one port, three engines behind it."""
