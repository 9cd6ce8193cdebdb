"""What a statement of the feed says: the claims of a JWS, so that guards verify it with the keys that they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.revocations.items import epoch_of, id_of, is_session, kept_of, time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.revocations.items import Placed
    from service.revocations.model import FeedLife

TYPE = "revocations+jwt"
"""Neither an access token nor anything else passes for a statement, nor the other way round."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A place in the feed. ``through``: where to go on after the last page; None when this is no page's cursor."""

    after: str
    through: str | None


def claims_of(
    entries: Sequence[Placed],
    *,
    issuer: str,
    cursor: str,
    following: str,
    more: bool,
    forgotten_ms: int | None,
    read_ms: int,
    life: FeedLife,
) -> dict[str, object]:
    """The claims of a statement. Times are seconds since the epoch, those of entries rounded up.

    ``cursor`` names what was asked, so that an answer to another question is not taken for this one. ``retain``: how
    long after its time an entry matters; ``settle``: how long after it a token that it ends may have been issued.
    ``forgotten``: entries up to that time were too many to be listed.
    """
    return {
        "iss": issuer,
        "iat": read_ms // 1000,
        "cursor": cursor,
        "next": following,
        "more": more,
        "retain": life.retain_seconds,
        "settle": life.settle_seconds,
        "forgotten": None if forgotten_ms is None else _seconds(forgotten_ms),
        "sessions": [[id_of(place), _seconds(time_of(place))] for place, _ in entries if is_session(place)],
        "users": [
            [id_of(place), epoch_of(place), _seconds(time_of(place)), kept_of(kept)]
            for place, kept in entries
            if not is_session(place)
        ],
    }


def _seconds(milliseconds: int) -> int:
    return -(-milliseconds // 1000)
