"""Which engines there are, the fastest first, and which one to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.engines.cache import engines_dir
from service.engines.dynamodb_local import DynamoDBLocal
from service.engines.dynoxide import Dynoxide, release_here
from service.engines.errors import EngineUnavailable
from service.engines.folder import DataFolder
from service.engines.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.engines.port import Engine, EngineChoice, EngineName


def all_engines() -> tuple[Engine, ...]:
    """Every engine, available or not, the fastest first."""
    cache_dir = engines_dir()
    return (Dynoxide(cache_dir=cache_dir, release=release_here()), MiniStack(), DynamoDBLocal(cache_dir=cache_dir))


def available_engines() -> tuple[Engine, ...]:
    """The engines that can be started now, the fastest first."""
    return tuple(engine for engine in all_engines() if engine.available() is None)


def choose(name: EngineChoice, *, data_dir: Path | None = None, engines: Sequence[Engine] | None = None) -> Engine:
    """The engine called ``name``; for ``auto`` the one whose data is in ``data_dir``, else the fastest available.

    Raises:
        EngineUnavailable: it cannot be had; also for ``auto`` when the data there was written by an engine that
            cannot be had any more, since another engine would start empty, and that looks like lost accounts.
    """
    offered = all_engines() if engines is None else engines
    if name != "auto":
        return _named(name, offered)
    last = None if data_dir is None else DataFolder(root=data_dir).remembered()
    return _fastest(offered) if last is None else _with_the_data(last, offered)


def _named(name: EngineName, offered: Sequence[Engine]) -> Engine:
    engine = next(engine for engine in offered if engine.name == name)
    if why_not := engine.available():
        raise EngineUnavailable(f"the engine {name} cannot be had: {why_not}")
    return engine


def _with_the_data(last: EngineName, offered: Sequence[Engine]) -> Engine:
    try:
        return _named(last, offered)
    except EngineUnavailable as unavailable:
        raise EngineUnavailable(
            f"the data is {last}'s, but {unavailable}; or name another engine with --engine, which starts empty"
        ) from None


def _fastest(offered: Sequence[Engine]) -> Engine:
    reasons = []
    for engine in offered:
        why_not = engine.available()
        if why_not is None:
            return engine
        reasons.append(f"{engine.name}: {why_not}")
    raise EngineUnavailable(f"no DynamoDB engine can be had ({'; '.join(reasons)})")
