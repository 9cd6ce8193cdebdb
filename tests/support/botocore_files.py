"""botocore reads its files anew for each client, a megabyte among them; tests make thousands of clients."""

from __future__ import annotations

from functools import cache

from botocore.loaders import JSONFileLoader, Loader


def read_once() -> None:
    """From now on a process reads each file once, and its clients share what was read as those of one session do."""
    read, names = cache(JSONFileLoader().load_file), cache(Loader().list_available_services)
    JSONFileLoader.load_file = lambda _loader, file_path: read(file_path)
    Loader.list_available_services = lambda _loader, type_name: names(type_name)
