"""Requests to an application without a client, for tests that look at what the server is handed."""

from __future__ import annotations


def scope_of(path, *headers, host="localhost"):
    """The ASGI scope of a GET; ``headers`` are pairs of bytes, in small letters, beside the host's."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", host.encode()), *headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("localhost", 8000),
    }
