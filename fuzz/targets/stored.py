"""What comes back from a client or the store and was once written by us."""

from __future__ import annotations

from typing import Final

from argon2 import extract_parameters

from service.passwords.model import CostBounds, Scheme, StoredHash, parse_stored
from service.store.cursor import MAX_CURSOR_CHARACTERS, Cursors

_MASTER: Final = bytes(range(32))
_BOUNDS = CostBounds()
QUERY: Final = "sessions#ada"
SEED: Final = {"uid": bytes(16), "sid": bytes(range(16))}
"""What the one sealed cursor says that stands among the seeds."""


class _Zero:
    def token_bytes(self, size_bytes: int) -> bytes:
        return bytes(size_bytes)


CURSORS = Cursors(_MASTER, _Zero())


def cursor(data: bytes) -> None:
    """No text opens that was not sealed; what is sealed opens for its own query alone."""
    text = data.decode("latin-1")
    assert CURSORS.open(text, query=QUERY) in (None, SEED)
    assert CURSORS.open(text, query=QUERY + "x") is None
    sealed = CURSORS.seal({"uid": data, "n": len(data)}, query=text)
    assert CURSORS.open(sealed, query=text + "x") is None
    if len(sealed) <= MAX_CURSOR_CHARACTERS:
        assert CURSORS.open(sealed, query=text) == {"uid": data, "n": len(data)}


def password_hash(data: bytes) -> None:
    """What is well-formed is so for argon2's own reader too, and within the bounds."""
    text = data.decode("latin-1")
    stored = parse_stored(text, bounds=_BOUNDS)
    if not isinstance(stored, StoredHash):
        return
    assert stored.text in text
    if stored.scheme is Scheme.ARGON2:
        parameters = extract_parameters(stored.text)
        assert 0 < parameters.memory_cost <= _BOUNDS.argon2_memory_kib
        assert 0 < parameters.time_cost <= _BOUNDS.argon2_time
        assert 0 < parameters.parallelism <= _BOUNDS.argon2_lanes
    elif stored.scheme is Scheme.DJANGO_PBKDF2_SHA256:
        assert int(stored.text.split("$")[1]) <= _BOUNDS.pbkdf2_rounds
    else:
        assert int(stored.text.split("$")[-2]) <= _BOUNDS.bcrypt_cost
