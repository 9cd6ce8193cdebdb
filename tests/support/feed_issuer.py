"""An issuer with a revocation feed, in memory: what a guard's fetcher gets from it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from keyturn.errors import IssuerFault
from keyturn.http import Fetched
from tests.support.feed import FEED_KEY

if TYPE_CHECKING:
    from keyturn.testing.issuer import OfflineIssuer

URL = "https://issuer.test/v1/revocations"
MEDIA_TYPE = "application/revocations+jwt"


@dataclass
class FeedIssuer:
    """Answers as the service does, of its own list of entries; or as a test says, by ``answer`` or ``fault``.

    Cursors are places in the list. ``asked`` holds the cursor and the headers of each request.
    """

    issuer: OfflineIssuer
    page_size: int = 1000
    sessions: list = field(default_factory=list)
    users: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    answer: object = None
    fault: str | None = None
    claims: dict = field(default_factory=dict)
    header: dict = field(default_factory=dict)
    closed: bool = False
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def now(self):
        return self.issuer.clock.now_ms() // 1000

    def end_session(self, session_id):
        self.sessions.append([session_id, self.now])

    def end_user(self, subject, epoch, *, kept=None):
        self.users.append([subject, epoch, self.now, kept])

    def prepare(self):
        """Nothing is slow to load."""

    def get(self, url, *, seconds, headers=None):
        parts = urlsplit(url)
        assert url.partition("?")[0] == URL
        cursor = parse_qs(parts.query).get("cursor", [""])[0]
        with self.came:
            self.asked.append((cursor, dict(headers)))
            self.came.notify_all()
        if self.fault is not None:
            raise IssuerFault(self.fault)
        if self.answer is not None:
            given, self.answer = self.answer, None
            return given
        assert headers["Authorization"] == f"Bearer {FEED_KEY}"
        return self._answered(cursor, headers)

    def _answered(self, cursor, headers):
        entries = [*(("s", *row) for row in self.sessions), *(("u", *row) for row in self.users)]
        start = int(cursor or 0)
        page = entries[start : start + self.page_size]
        etag = json.dumps([start + len(page), len(entries)])
        if headers.get("If-None-Match") == etag:
            return Fetched(status=304, headers={"etag": etag}, body=b"")
        claims = {
            "iss": self.issuer.issuer,
            "iat": self.now,
            "cursor": cursor,
            "next": str(start + len(page)),
            "more": start + self.page_size < len(entries),
            "retain": 414,
            "settle": 84,
            "sessions": [row for kind, *row in page if kind == "s"],
            "users": [row for kind, *row in page if kind == "u"],
        } | self.claims
        text = self.issuer._signers[-1].sign(claims, header={"typ": "revocations+jwt"} | self.header)
        return Fetched(status=200, headers={"content-type": MEDIA_TYPE, "etag": etag}, body=text.encode())

    def close(self):
        self.closed = True
