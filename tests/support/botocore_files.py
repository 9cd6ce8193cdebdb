"""botocore reads its files anew for each client, a megabyte among them; tests make thousands of clients."""

from __future__ import annotations

from functools import cache

from botocore.loaders import JSONFileLoader

from service.store.sdk_files import SdkFiles


def read_once() -> None:
    """From now on a process reads each file once, and its clients share what was read as those of one session do."""
    for loader in (JSONFileLoader, SdkFiles):
        loader.load_file = _of_any(cache(loader().load_file))


def _of_any(read):
    return lambda _loader, file_path: read(file_path)
