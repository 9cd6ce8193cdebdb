"""Verify an access token, read as a timetable; the steps are elsewhere and small. The library's one door to PyJWT."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from keyturn import claims as rules
from keyturn.errors import BadSignature, UnknownKey, WrongAlgorithm
from keyturn.strict import ParsedToken, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt.algorithms import Algorithm

    from keyturn.keys import VerifyingKey
    from keyturn.principal import Principal

DEFAULT_ALGORITHM: Final = "ES256"
DEFAULT_LEEWAY_SECONDS: Final = 2
MAX_LEEWAY_SECONDS: Final = 30


@cache
def algorithm(alg: str) -> Algorithm:
    """What verifies signatures of ``alg``. The first call imports PyJWT, which takes longer than all else here."""
    import jwt

    return jwt.get_algorithm_by_name(alg)


def verify(
    token: str,
    *,
    keys: Mapping[str, VerifyingKey],
    expected_issuer: str,
    expected_audience: str,
    now_ms: int,
    leeway_seconds: int = DEFAULT_LEEWAY_SECONDS,
    max_lifetime_seconds: int | None = None,
) -> Principal:
    """The principal that ``token`` vouches for (RFC 9068 section 4).

    ``token`` is what stood after ``Bearer``, unchanged. ``leeway_seconds`` (0 to 30) is how far the issuer's clock and
    ours may be apart; ``max_lifetime_seconds``, where given, refuses tokens that were issued for longer.
    The order is by cost: a token of the wrong form or with an unknown key costs no signature check, and no claim is
    judged before the signature. Do not key a cache or a deny-list on ``token``: an ECDSA signature has a twin that
    verifies as well, so one token has two spellings; use ``token_id``.

    Raises:
        TokenError: the token is not accepted. Show the sender one answer for all of them; log ``code``.
        ValueError: ``leeway_seconds`` is out of range, which is the caller's mistake.
    """
    return verify_parsed(
        parse(token),
        keys=keys,
        expected_issuer=expected_issuer,
        expected_audience=expected_audience,
        now_ms=now_ms,
        leeway_seconds=leeway_seconds,
        max_lifetime_seconds=max_lifetime_seconds,
    )


def verify_parsed(
    parsed: ParsedToken,
    *,
    keys: Mapping[str, VerifyingKey],
    expected_issuer: str,
    expected_audience: str,
    now_ms: int,
    leeway_seconds: int = DEFAULT_LEEWAY_SECONDS,
    max_lifetime_seconds: int | None = None,
) -> Principal:
    """``verify`` for a token that was parsed before, for callers that look the key up by ``kid`` themselves."""
    if not 0 <= leeway_seconds <= MAX_LEEWAY_SECONDS:
        raise ValueError("leeway_seconds is out of range")
    check_signature(parsed, key=find_key(parsed, keys=keys))
    principal = rules.read_principal(parsed.claims)
    rules.check_issuer(parsed.claims, expected_issuer=expected_issuer)
    rules.check_audience(parsed.claims, expected_audience=expected_audience)
    rules.check_lifetime(principal, max_lifetime_seconds=max_lifetime_seconds)
    rules.check_issued(parsed.claims, now_ms=now_ms, leeway_seconds=leeway_seconds)
    rules.check_not_expired(principal, now_ms=now_ms, leeway_seconds=leeway_seconds)
    return principal


def find_key(parsed: ParsedToken, *, keys: Mapping[str, VerifyingKey]) -> VerifyingKey:
    """The key that the token names.

    Raises:
        UnknownKey: there is none.
    """
    key = keys.get(parsed.kid)
    if key is None:
        raise UnknownKey("no key has this name")
    return key


def check_signature(parsed: ParsedToken, *, key: VerifyingKey) -> None:
    """The token is signed by ``key`` with the key's one algorithm; the header only has to agree.

    Raises:
        WrongAlgorithm: the header names another algorithm than the key's.
        BadSignature: the signature is not the key's.
    """
    if parsed.alg != key.alg:
        raise WrongAlgorithm("the algorithm is not the key's")
    if not algorithm(key.alg).verify(parsed.signing_input, key.public_key, parsed.signature):
        raise BadSignature("the signature does not verify")
