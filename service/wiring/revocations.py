"""The revocation feed as pollers are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.revocations.flows import Feed
from service.revocations.guards import FeedKeys
from service.revocations.routes import FeedCaching
from service.settings_rules import parse_keys

if TYPE_CHECKING:
    from service.store.cursor import Cursors
    from service.wiring.core import Core


def revocation_services(core: Core, cursors: Cursors) -> list[object]:
    """The feed and its door; nothing is read until somebody asks."""
    settings, window = core.settings, core.revocation_window
    keys = parse_keys(settings.revocation_feed_keys.get_secret_value()) if settings.publishes_revocations else {}
    return [
        FeedKeys(keys=tuple(keys.values())),
        FeedCaching(max_age_seconds=settings.revocation_feed_cache_seconds),
        Feed(window=window, life=window.life, cursors=cursors, keyring=core.keyring, issuer=settings.issuer),
    ]
