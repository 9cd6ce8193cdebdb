"""The door of the command: says what is missing when only the guard library is installed."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec


def main() -> None:
    """Run ``keyturn``; exit status 2 and one line when the service's own dependencies are not there."""
    if find_spec("typer") is None or find_spec("aioboto3") is None:
        sys.stderr.write(
            "keyturn: the service is not installed here; install it with: pip install 'keyturn[service]'\n"
        )
        sys.exit(2)
    from service.kernel.collector import without_collecting

    with without_collecting():
        commands = import_module("service.cli.main")
    commands.app()
