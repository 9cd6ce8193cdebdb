"""What the priced journeys share."""

RESTED_SECONDS = 900
"""After this the last mails to an address and from a network are forgotten."""
NEW = "a wholly different long sentence"
"""A password that is good, and not the one of before."""
