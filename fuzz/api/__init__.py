"""Requests made by schemathesis from ``openapi.yaml``, sent to a running service."""
