"""The guard library: verify Keyturn's access tokens and enforce ownership in other services.

``from keyturn import Verifier`` and the other names below; each is imported when it is first asked for, so that
``import keyturn`` costs nothing. The errors are in ``keyturn.errors``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyturn.bearer import read_bearer
    from keyturn.bounds import Bounds
    from keyturn.challenge import Answer, answer_to
    from keyturn.errors import GuardError, InsufficientScope, NotFound, StepUpRequired, TokenError, Unavailable
    from keyturn.guard import Verifier
    from keyturn.issuer_keys import IssuerKeys
    from keyturn.keys import KeySet, VerifyingKey
    from keyturn.ownership import Owns
    from keyturn.principal import Principal
    from keyturn.requirements import Requirement
    from keyturn.revocation_feed import RevocationFeed

__all__ = [
    "Answer",
    "Bounds",
    "GuardError",
    "InsufficientScope",
    "IssuerKeys",
    "KeySet",
    "NotFound",
    "Owns",
    "Principal",
    "Requirement",
    "RevocationFeed",
    "StepUpRequired",
    "TokenError",
    "Unavailable",
    "Verifier",
    "VerifyingKey",
    "answer_to",
    "read_bearer",
]

_HOMES = {
    "keyturn.bearer": ("read_bearer",),
    "keyturn.bounds": ("Bounds",),
    "keyturn.challenge": ("Answer", "answer_to"),
    "keyturn.errors": (
        "GuardError",
        "InsufficientScope",
        "NotFound",
        "StepUpRequired",
        "TokenError",
        "Unavailable",
    ),
    "keyturn.guard": ("Verifier",),
    "keyturn.issuer_keys": ("IssuerKeys",),
    "keyturn.keys": ("KeySet", "VerifyingKey"),
    "keyturn.ownership": ("Owns",),
    "keyturn.principal": ("Principal",),
    "keyturn.requirements": ("Requirement",),
    "keyturn.revocation_feed": ("RevocationFeed",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:
    # A type checker that saw this would believe every name.
    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(_HOME_OF[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
