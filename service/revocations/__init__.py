"""The revocation feed: which sessions and users were ended while their access tokens may still live (docs/adr/0011)."""
