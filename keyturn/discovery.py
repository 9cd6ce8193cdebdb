"""From an issuer to its key set: metadata (RFC 8414), then the JWK set (RFC 7517), read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from keyturn.caching import fresh_seconds
from keyturn.errors import IssuerFault, KeyRefused, Malformed
from keyturn.issuer_url import is_allowed, metadata_url
from keyturn.keys import MAX_KEYS, KeySet
from keyturn.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from keyturn.bounds import Bounds
    from keyturn.http import Fetched

_JSON_TYPES: Final = frozenset({"application/json", "application/jwk-set+json"})
_MAX_CONTAINERS: Final = 4 * MAX_KEYS


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedKeys:
    """A key set, and for how many seconds from now it is fresh."""

    keys: KeySet
    fresh_seconds: float


def read_metadata(fetched: Fetched, *, issuer: str, other_origins: Collection[str]) -> str:
    """The address of the key set that metadata name.

    Raises:
        IssuerFault: the document is not the issuer's own (section 3.3: its ``issuer`` must be identical), or points
            where its keys may not be.
    """
    document = _document(fetched)
    if document.get("issuer") != issuer:
        raise IssuerFault("the metadata are of another issuer")
    jwks_uri = document.get("jwks_uri")
    if not isinstance(jwks_uri, str) or not is_allowed(jwks_uri, issuer=issuer, other_origins=other_origins):
        raise IssuerFault("the metadata name no key set, or one at an address that is not allowed")
    return jwks_uri


def read_keys(fetched: Fetched, *, bounds: Bounds) -> FetchedKeys:
    """The keys of a JWK set's answer.

    Raises:
        IssuerFault: it is none, or one of its keys is private, symmetric or unsound, which refuses the whole set.
    """
    try:
        keys = KeySet.from_jwks(_document(fetched))
    except KeyRefused as refusal:
        raise IssuerFault(f"the key set is refused: {refusal}") from None
    return FetchedKeys(keys=keys, fresh_seconds=fresh_seconds(fetched.headers, bounds=bounds))


class Discovery:
    """Fetches the keys of one issuer; remembers for ``max_stale_seconds`` where they are, unless that address fails.

    ``get`` is a bounded GET that raises IssuerFault; it is called once or twice a fetch.
    """

    def __init__(self, issuer: str, *, bounds: Bounds, other_origins: Collection[str]) -> None:
        self._issuer = issuer
        self._bounds = bounds
        self._other_origins = other_origins
        self._jwks_uri: str | None = None
        self._found_at_seconds = 0.0

    def fetch(self, get: Callable[[str], Fetched], *, now_seconds: float) -> FetchedKeys:
        """The keys of now; ``now_seconds`` is a time that never goes back.

        Raises:
            IssuerFault: they cannot be had; the next call asks for the metadata again.
        """
        jwks_uri, self._jwks_uri = self._jwks_uri, None
        if jwks_uri is None or now_seconds - self._found_at_seconds > self._bounds.max_stale_seconds:
            self._found_at_seconds = now_seconds
            fetched = get(metadata_url(self._issuer))
            jwks_uri = read_metadata(fetched, issuer=self._issuer, other_origins=self._other_origins)
        found = read_keys(get(jwks_uri), bounds=self._bounds)
        self._jwks_uri = jwks_uri
        return found


def _document(fetched: Fetched) -> dict[str, object]:
    media_type = fetched.headers.get("content-type", "").partition(";")[0].strip().lower()
    if fetched.status != HTTPStatus.OK:
        raise IssuerFault(f"the answer has status {fetched.status}")
    if media_type not in _JSON_TYPES:
        raise IssuerFault("the answer is not JSON by its media type")
    try:
        return parse_object(fetched.body, max_containers=_MAX_CONTAINERS)
    except Malformed as fault:
        raise IssuerFault(f"the answer is not strict JSON: {fault}") from None
