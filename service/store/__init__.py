"""DynamoDB: keys, expressions, operations as values, and the one client that sends them."""
