"""Sign-in: where factors meet. Today there is one factor, the password."""
