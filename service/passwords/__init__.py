"""Passwords: what may be one, and how one is kept and checked."""
