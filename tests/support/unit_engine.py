"""The engine that counts units as DynamoDB does: without it no budget can be asserted."""

from __future__ import annotations

import shutil

import pytest

from service.engines.cache import engines_dir
from service.engines.dynoxide import Dynoxide, release_here
from tests.support.programs import REQUIRED


def can_be_fetched() -> bool:
    """Whether ``service.engines.fetch`` has what it needs here: a release for the platform, and npm."""
    return release_here() is not None and shutil.which("npm") is not None


def need_unit_engine(engine: Dynoxide | None = None, *, required: bool | None = None) -> Dynoxide:
    """The engine. Skips the test where it is missing, or fails it where programs are required and it can be fetched.

    A build that stays green without it would let every operation cost more.
    """
    engine = engine or Dynoxide(cache_dir=engines_dir(), release=release_here())
    if why_not := engine.available():
        is_required = REQUIRED and can_be_fetched() if required is None else required
        refuse = pytest.fail if is_required else pytest.skip
        # "Is not installed" is what .ci/skips looks for.
        refuse(f"{engine.name} is not installed, so no units are counted: {why_not}")
    return engine
