"""A statement of the revocation feed: what was ended since a cursor, signed by the issuer. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from keyturn import base64url
from keyturn.errors import IssuerFault, Malformed, TokenError
from keyturn.strict import MAX_HEADER_CHARACTERS, ParsedToken, check_header_members, checked_algorithm, checked_kid
from keyturn.strict_json import parse_object
from keyturn.verifier import check_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyturn.keys import VerifyingKey

TYPE: Final = "revocations+jwt"
MEDIA_TYPE: Final = f"application/{TYPE}"
MAX_CHARACTERS: Final = 1024 * 1024
_MAX_CONTAINERS: Final = 10_000
_SEGMENTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEnded:
    """Every token of the session is dead. ``at``: when that was written down, seconds since the epoch."""

    session_id: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UserEnded:
    """Every token of the subject whose ``epoch`` is lower, or missing, is dead, but those of the session ``kept``."""

    subject: str
    epoch: int
    kept: str | None
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What the feed said. Times are seconds since the epoch, durations seconds.

    ``cursor`` is what was asked, ``following`` what to ask next, at once while there is ``more``. An entry matters for
    ``retain_seconds`` after its time, and a token that it ends was issued at most ``settle_seconds`` after it. Entries
    up to ``forgotten`` were too many to be listed.
    """

    issued_at: int
    cursor: str
    following: str
    more: bool
    retain_seconds: int
    settle_seconds: int
    forgotten: int | None
    sessions: tuple[SessionEnded, ...] = field(repr=False)
    users: tuple[UserEnded, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unverified:
    """A statement of the right form, whose signature has not been looked at."""

    kid: str
    alg: str
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    payload: bytes = field(repr=False)


def parse_statement(text: str) -> Unverified:
    """The parts of a JWS in compact form whose type is that of a statement.

    Raises:
        IssuerFault: it is none.
    """
    segments = text.split(".", _SEGMENTS)
    if len(text) > MAX_CHARACTERS or len(segments) != _SEGMENTS or len(segments[0]) > MAX_HEADER_CHARACTERS:
        raise IssuerFault("the statement is too long, or does not have three segments")
    header_bytes, payload, signature = map(base64url.decode, segments)
    try:
        header = parse_object(header_bytes or b"")
        alg, kid = checked_algorithm(header), checked_kid(header)
        check_header_members(header)
    except TokenError as fault:
        raise IssuerFault(f"the statement's header is refused: {fault}") from None
    if header.get("typ") != TYPE or not payload or not signature:
        raise IssuerFault("not a statement by its type")
    signing_input = f"{segments[0]}.{segments[1]}".encode("ascii")
    return Unverified(kid=kid, alg=alg, signing_input=signing_input, signature=signature, payload=payload)


def read_statement(
    unverified: Unverified, *, key: VerifyingKey, expected_issuer: str, expected_cursor: str, earliest: int
) -> Statement:
    """The statement, if ``key`` signed it and it answers what was asked, no earlier than ``earliest`` (seconds).

    The signature is checked before the payload is read: what is large is read only from the issuer. An answer to
    another cursor would leave a gap, and an old one kept back by somebody hides what came since.

    Raises:
        IssuerFault: it is not that statement.
    """
    _check_signature(unverified, key=key)
    try:
        claims = parse_object(unverified.payload, max_containers=_MAX_CONTAINERS)
    except Malformed as fault:
        raise IssuerFault(f"the statement is not strict JSON: {fault}") from None
    if claims.get("iss") != expected_issuer:
        raise IssuerFault("the statement is of another issuer")
    if claims.get("cursor") != expected_cursor:
        raise IssuerFault("the statement answers another cursor")
    statement = _statement(claims)
    if statement.issued_at < earliest:
        raise IssuerFault("the statement is too old")
    return statement


def _check_signature(unverified: Unverified, *, key: VerifyingKey) -> None:
    parsed = ParsedToken(
        kid=unverified.kid,
        alg=unverified.alg,
        header={},
        claims={},
        signing_input=unverified.signing_input,
        signature=unverified.signature,
    )
    try:
        check_signature(parsed, key=key)
    except TokenError as fault:
        raise IssuerFault(f"the statement is refused: {fault}") from None


def _statement(claims: Mapping[str, object]) -> Statement:
    forgotten = claims.get("forgotten")
    return Statement(
        issued_at=_number(claims.get("iat")),
        cursor=_text(claims.get("cursor"), empty=True),
        following=_text(claims.get("next")),
        more=_flag(claims.get("more")),
        retain_seconds=_number(claims.get("retain")),
        settle_seconds=_number(claims.get("settle")),
        forgotten=None if forgotten is None else _number(forgotten),
        sessions=tuple(_session(row) for row in _rows(claims.get("sessions"), columns=2)),
        users=tuple(_user(row) for row in _rows(claims.get("users"), columns=4)),
    )


def _session(row: list[object]) -> SessionEnded:
    return SessionEnded(session_id=_text(row[0]), at=_number(row[1]))


def _user(row: list[object]) -> UserEnded:
    subject, epoch, at, kept = row
    return UserEnded(
        subject=_text(subject), epoch=_number(epoch), at=_number(at), kept=None if kept is None else _text(kept)
    )


def _rows(value: object, *, columns: int) -> list[list[object]]:
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == columns for row in value):
        raise IssuerFault("a list of the statement has the wrong form")
    return value


def _number(value: object) -> int:
    # Not isinstance: True is an int.
    if type(value) is not int or value < 0:
        raise IssuerFault("a number of the statement is none")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise IssuerFault("a flag of the statement is none")
    return value


def _text(value: object, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise IssuerFault("a text of the statement is none")
    return value
