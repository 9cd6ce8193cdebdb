"""The verifier of the three example services, strict: it polls the revocation feed, so a logout is seen in a moment."""

from __future__ import annotations

import os

from keyturn import RevocationFeed, Verifier

ISSUER = os.environ["NOTES_ISSUER"]
AUDIENCE = os.environ["NOTES_AUDIENCE"]
POLL_SECONDS = 1

verifier = Verifier(
    ISSUER,
    AUDIENCE,
    revocations=RevocationFeed(ISSUER, key=os.environ["NOTES_FEED_KEY"], poll_seconds=POLL_SECONDS),
)
