"""MiniStack: pure Python, so it runs wherever we do; it writes its state when it is asked to stop, and only then."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from service.engines.port import Launch

if TYPE_CHECKING:
    from pathlib import Path

    from service.engines.port import EngineName

_QUIET = {
    "BIND_HOST": "127.0.0.1",  # the default is every interface
    "SERVICES": "dynamodb",
    "LOG_LEVEL": "WARNING",
    # Two more listeners that a database has no use for, on fixed ports.
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    # It removes the containers of every MiniStack on the machine when it starts and stops.
    "DOCKER_HOST": "unix:///nonexistent",
}


@dataclass(frozen=True, kw_only=True)
class MiniStack:
    """The engine, from this interpreter's packages."""

    @property
    def name(self) -> EngineName:
        """Its name."""
        return "ministack"

    def available(self) -> str | None:
        """None, or why not."""
        if find_spec("ministack") is None:
            return "ministack is not installed here; install it with: pip install 'keyturn[engine]'"
        return None

    def command(self, port: int, data_dir: Path | None) -> Launch:
        """``python -m ministack``, isolated so that no module of the current folder stands in for it."""
        env = {**_QUIET, "GATEWAY_PORT": str(port)}
        if data_dir is not None:
            env |= {"PERSIST_STATE": "1", "STATE_DIR": str(data_dir), "S3_DATA_DIR": str(data_dir / "s3")}
        return Launch([sys.executable, "-I", "-m", "ministack"], env)
