"""Users: the account, its names and its state."""
