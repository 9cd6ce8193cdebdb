"""The journeys of an account: one journey, one file, and none calls another."""
