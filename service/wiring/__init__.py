"""Builds everything once: the only place that knows which part gets which."""
