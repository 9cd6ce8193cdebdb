"""Sessions: what a sign-in leaves behind, and how its refresh token rotates and ends."""
