"""botocore reads its files anew for each client, a megabyte among them; tests make thousands of clients."""

from __future__ import annotations

from functools import cache

from botocore.loaders import JSONFileLoader


def read_once() -> None:
    """From now on a process reads each file once, and its clients share what was read as those of one session do."""
    read = cache(JSONFileLoader().load_file)
    JSONFileLoader.load_file = lambda _loader, file_path: read(file_path)
