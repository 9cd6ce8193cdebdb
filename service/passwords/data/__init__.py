"""The embedded list of common passwords, and how it is made."""
