"""What migrations need, built by the edge of the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.migrate.folder import migrations_directory

if TYPE_CHECKING:
    from pathlib import Path

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.control import Control
    from service.store.dynamo import Dynamo

_LEASE_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class MigrateContext:
    """Two ports to one deployment's tables, and where the files are.

    ``embedded`` allows steps that the engine of a laptop does not know to be skipped with a note. ``kms_key_id`` is
    the customer's key (id, ARN or alias); None leaves tables under AWS's own. A process that dies with the lock keeps
    others waiting for ``lease_seconds``.
    """

    control: Control
    dynamo: Dynamo
    clock: Clock
    entropy: Entropy
    embedded: bool
    kms_key_id: str | None = None
    directory: Path = field(default_factory=migrations_directory)
    lease_seconds: float = _LEASE_SECONDS
