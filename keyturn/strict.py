"""The strict pre-parser: what a token must look like before any library or key touches it.

JWT libraries are lenient where it is dangerous: they take the last of two ``exp`` members, ``=`` padding, UTF-16
payloads, dates of 400 digits and any ``typ``. Everything that we never issue is refused here, with no key and no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from keyturn import base64url
from keyturn.algorithms import SIGNATURE_BYTES, is_kid
from keyturn.errors import BadHeader, BadSignature, Malformed, TooLarge, WrongAlgorithm, WrongType
from keyturn.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TOKEN_CHARACTERS: Final = 8 * 1024
MAX_HEADER_CHARACTERS: Final = 1024

ACCESS_TOKEN_TYPES: Final = frozenset({"at+jwt", "application/at+jwt"})
"""RFC 9068 section 4 names both spellings and no third: another case is another kind of token, and refused."""

_SEGMENTS: Final = 3
_KNOWN_HEADERS: Final = 64
_HEADER_MEMBERS: Final = frozenset({"alg", "kid", "typ"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedToken:
    """A token of the right form. Nothing in it is proven: the signature has not been looked at."""

    kid: str
    alg: str
    header: Mapping[str, object] = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse(token: str) -> ParsedToken:
    """The parts of ``token``, a JWS in compact form (RFC 7515 section 7.1).

    Raises:
        TokenError: whatever else the text is; nothing but a subclass of it.
    """
    header_text, claims_text, signature_text = _segments(token)
    header = _judged_header(header_text)
    signature = _decoded(signature_text)
    check_signature_size(signature, alg=header.alg)
    return ParsedToken(
        kid=header.kid,
        alg=header.alg,
        header=header.members,
        claims=parse_object(_decoded(claims_text)),
        signing_input=f"{header_text}.{claims_text}".encode("ascii"),
        signature=signature,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    kid: str
    alg: str
    members: Mapping[str, object]


@lru_cache(maxsize=_KNOWN_HEADERS)
def _judged_header(text: str) -> _Header:
    """What the first segment says. All tokens of a key begin with the same text, so it is judged once and kept.

    A refusal is not kept: whoever sends those pays for each, and has no place taken.
    """
    members = parse_object(_decoded(text))
    check_type(members)
    alg = checked_algorithm(members)
    kid = checked_kid(members)
    check_header_members(members)
    # Of these members each is text, so nothing in there can be changed for the next token.
    return _Header(kid=kid, alg=alg, members=MappingProxyType(members))


def _segments(token: str) -> list[str]:
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise TooLarge("the token is too long")
    segments = token.split(".", _SEGMENTS)
    if len(segments) != _SEGMENTS:
        raise Malformed("the token does not have three segments")
    if len(segments[0]) > MAX_HEADER_CHARACTERS:
        raise TooLarge("the header is too long")
    return segments


def _decoded(segment: str) -> bytes:
    raw = base64url.decode(segment)
    if not raw:
        raise Malformed("a segment is empty or not canonical base64url")
    return raw


def check_type(header: Mapping[str, object]) -> None:
    """An access token says that it is one, so that no ID token passes for it (RFC 8725 section 3.11)."""
    typ = header.get("typ")
    if not isinstance(typ, str) or typ not in ACCESS_TOKEN_TYPES:
        raise WrongType("the token is not marked as an access token")


def checked_algorithm(header: Mapping[str, object]) -> str:
    """The header's ``alg``, which is on our list: not ``none``, no HMAC, no other spelling (RFC 8725 section 3.1)."""
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in SIGNATURE_BYTES:
        raise WrongAlgorithm("the algorithm is not allowed")
    return alg


def checked_kid(header: Mapping[str, object]) -> str:
    """The header's ``kid``, which has the form of one."""
    kid = header.get("kid")
    if not isinstance(kid, str) or not is_kid(kid):
        raise BadHeader("the key's name is missing or has the wrong form")
    return kid


def check_header_members(header: Mapping[str, object]) -> None:
    """The header has what we issue and no more.

    So no ``crit`` and ``b64`` (RFC 7797), and no key from the sender: ``jwk``, ``jku``, ``x5u``, ``x5c``, ``x5t``,
    ``x5t#S256``. A list of the forbidden would have to know each extension that is still to come.
    """
    if not header.keys() <= _HEADER_MEMBERS:
        raise BadHeader("the header has a member that is never issued")


def check_signature_size(signature: bytes, *, alg: str) -> None:
    """The signature has a size that ``alg`` makes; an ECDSA signature in DER has not."""
    if len(signature) not in SIGNATURE_BYTES[alg]:
        raise BadSignature("the signature has the wrong size")
