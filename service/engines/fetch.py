"""``python -m service.engines.fetch [--all]``: fetch what makes the engine faster; never a reason to fail.

dynoxide always, DynamoDB Local (about 50 MB, slow to resolve) with ``--all``. What is there is left alone.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from service.engines.cache import engines_dir
from service.engines.dynamodb_local import DynamoDBLocal
from service.engines.dynoxide import Dynoxide, release_here
from service.engines.fetch_dynamodb_local import fetch_dynamodb_local
from service.engines.fetch_dynoxide import fetch_dynoxide
from service.engines.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Fetch, and print one line an engine: there, or why not. The exit status is 0 either way."""
    parser = argparse.ArgumentParser(prog="python -m service.engines.fetch", description="Fetch DynamoDB engines.")
    parser.add_argument("--all", action="store_true", help="DynamoDB Local too, with Maven")
    wanted = parser.parse_args(arguments)
    cache_dir = engines_dir()
    _say("dynoxide", fetch_dynoxide(Dynoxide(cache_dir=cache_dir, release=release_here())))
    _say("ministack", MiniStack().available())
    local = DynamoDBLocal(cache_dir=cache_dir)
    _say("dynamodb-local", fetch_dynamodb_local(local) if wanted.all else local.available())


def _say(name: str, why_not: str | None) -> None:
    sys.stdout.write(f"{name}: {'ready' if why_not is None else f'not there: {why_not}'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
