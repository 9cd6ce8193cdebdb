"""The HTTP edge in small parts; it knows nothing of features, store or settings: values are handed in."""
