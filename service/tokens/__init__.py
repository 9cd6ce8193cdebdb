"""Access tokens: the keys that sign them, their life, and the set that verifies them."""
