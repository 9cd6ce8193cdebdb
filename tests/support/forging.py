"""Tokens that only the check of the signature can refuse."""

from __future__ import annotations

from keyturn.strict import parse
from keyturn.testing.signing import SigningKey


def signed_by_another(token):
    """All that ``token`` says, also of its key, with the signature of another."""
    parsed = parse(token)
    forged = SigningKey.make(parsed.kid).sign(dict(parsed.claims))
    assert parse(forged).header == parsed.header
    assert parse(forged).claims == parsed.claims
    return forged
