"""Security events: a closed list, recorded where somebody can find them."""
