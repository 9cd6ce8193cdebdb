"""What reads bytes of strangers: each target takes any bytes, and raises only where something is wrong.

The refusals that a reader documents are taken inside its target; whatever else comes out is a finding, and so is an
``AssertionError``, where a target knows more than that nothing breaks: that a second reader agrees, that what was read
has one spelling, that nothing forged passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.targets import bodies, headers, names, secrets, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "access-token": secrets.access_token,
    "jwk": secrets.jwk,
    "refresh-token": secrets.refresh_token,
    "one-time-token": secrets.one_time_token,
    "device-token": secrets.device_token,
    "cursor": stored.cursor,
    "stored-hash": stored.password_hash,
    "email": names.email,
    "username": names.username,
    "token-json": bodies.token_json,
    "body-json": bodies.body_json,
    "query": bodies.query,
    "bearer": headers.bearer,
    "cookies": headers.cookies,
    "client-ip": headers.client_ip,
    "site": headers.site,
}
"""The targets by the names that their seeds and findings are kept under."""
