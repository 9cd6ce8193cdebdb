"""A poller of the revocation feed: it reads as any JOSE library would, and judges as the guard library does."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from itertools import count

import jwt

from keyturn.keys import KeySet
from keyturn.revocation import KnownRevocations
from keyturn.revocation_statement import parse_statement, read_statement
from keyturn.verifier import verify
from service.revocations.log import RevocationLog

NO_FEED = RevocationLog(repo=None, life=None, clock=None, is_on=False)
"""Where flows write down what they end, while nobody polls."""
FEED_KEY = base64.b64encode(bytes(range(32, 64))).decode()
OLD_KEY = base64.b64encode(bytes(range(64, 96))).decode()
FEED_KEYS = f"2:{FEED_KEY},1:{OLD_KEY}"
ISSUER = "http://localhost:8000"
WINDOWS = count(1)
"""Of tests that share a table: each takes the next, a thousand seconds later."""


@dataclass
class Poller:
    """Polls over ``client``, verifies each statement, and keeps what it has heard."""

    client: object
    cursor: str | None = None
    etag: str = ""
    sessions: set = field(default_factory=set)
    users: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    known: KnownRevocations = field(default_factory=KnownRevocations)

    async def ask(self, cursor=None, *, key=FEED_KEY, **headers):
        params = {} if cursor is None else {"cursor": cursor}
        headers["Authorization"] = f"Bearer {key}"
        return await self.client.get("/v1/revocations", params=params, headers=headers)

    async def poll(self):
        """One poll, with all its pages; the statements that came."""
        statements = []
        while True:
            answer = await self.ask(self.cursor, **{"If-None-Match": self.etag})
            self.statuses.append(answer.status_code)
            if answer.status_code == 304:
                return statements
            assert answer.status_code == 200, answer.text
            statement = await self.verified(answer)
            statements.append(statement)
            self.sessions |= {sid for sid, _ in statement["sessions"]}
            self.users += [tuple(user) for user in statement["users"]]
            await self._learn(answer)
            self.cursor, self.etag = statement["next"], answer.headers["etag"] if not statement["more"] else ""
            if not statement["more"]:
                return statements

    async def verified(self, answer):
        header = jwt.get_unverified_header(answer.text)
        assert header["typ"] == "revocations+jwt"
        (jwk,) = [one for one in (await self._jwks())["keys"] if one["kid"] == header["kid"]]
        return jwt.decode(
            answer.text, jwt.PyJWK(jwk).key, algorithms=["ES256"], options={"verify_iat": False, "verify_aud": False}
        )

    async def refuses(self, tokens, *, now_ms):
        """Whether a guard that has heard what this one has refuses the access token, which is good otherwise."""
        principal = verify(
            tokens["access_token"],
            keys=KeySet.from_jwks(await self._jwks()),
            expected_issuer=ISSUER,
            expected_audience=ISSUER,
            now_ms=now_ms,
        )
        return self.known.is_revoked(principal)

    async def _learn(self, answer):
        unverified = parse_statement(answer.text)
        key = KeySet.from_jwks(await self._jwks())[unverified.kid]
        self.known.apply(
            read_statement(unverified, key=key, expected_issuer=ISSUER, expected_cursor=self.cursor or "", earliest=0)
        )

    async def _jwks(self):
        return (await self.client.get("/.well-known/jwks.json")).json()
