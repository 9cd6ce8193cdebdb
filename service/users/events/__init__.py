"""A user's security events, for the user and for operators."""
