"""What a session of the SDK reads of its own files: no more than the service asks for.

By itself it parses the endpoints of all of AWS's services, with a slow parser, once a session, and keeps them: a third
of what a client costs at the start, and 7 MB of a worker's memory.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from botocore.loaders import JSONFileLoader

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiobotocore.session import AioSession

_OPENERS: dict[str, Callable[[Path, str], Any]] = {".json": open, ".json.gz": gzip.open}
_ENDPOINTS = "endpoints."
SERVICES = {"dynamodb": "dynamodb", "sesv2": "email", "sso": "portal.sso", "sso-oidc": "oidc", "sts": "sts"}
"""What the service calls and what credentials are asked of, and their names in the file of endpoints."""


class SdkFiles(JSONFileLoader):
    """A file loader of botocore's ``Loader``."""

    def load_file(self, file_path: str) -> Any:
        """The content of ``file_path``, which lacks its suffix, or None where there is no such file."""
        for suffix, opened in _OPENERS.items():
            path = Path(file_path + suffix)
            if path.is_file():
                with opened(path, "rb") as file:
                    content = orjson.loads(file.read())
                return _of_our_services(content) if path.name.startswith(_ENDPOINTS) else content
        return None


def read_less(session: AioSession) -> None:
    """Let ``session`` read for the clients of ``SERVICES`` what they need."""
    session.get_component("data_loader").file_loader = SdkFiles()


def _of_our_services(endpoints: Any) -> Any:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in SERVICES.values() if name in services}
    return endpoints
