"""Input campaigns: requests made from the API document, and bytes made from what a target has not yet seen."""
