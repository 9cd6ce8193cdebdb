"""People and their sessions as values, in the shape and size of a busy installation, made by the service's codecs.

All have one password, so that one hash serves for all: a million salts of their own would be of the same length.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.kernel.ids import SessionId, UserId
from service.passwords.repo import put_password
from service.sessions import items as session_items
from service.sessions.model import Device, Session, SessionState, SignInFacts
from service.sessions.refresh_token import SECRET_BYTES, RefreshToken
from service.store.table import Table
from service.users.actions import put_user, take_name
from service.users.model import User, UserState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from service.store.codec import Value

Row = tuple[Table, "dict[str, Value | None]"]

DAY_MS = 86_400_000
IDLE_MS, ABSOLUTE_MS = 30 * DAY_MS, 90 * DAY_MS
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "ExampleApp/2.1 (Android 15; Pixel 9)",
)


@dataclass(frozen=True, kw_only=True)
class Town:
    """So many people with so many sessions among them; the same numbers and ``seed`` give the same town.

    ``now_ms`` is after the newest sign-in, ``kid`` the number of the key that made the refresh tokens.
    """

    users: int
    sessions: int
    seed: int
    now_ms: int
    kid: int
    password_hash: str

    def user_id(self, number: int) -> UserId:
        """The id of the person ``number``, as evenly spread as chance would have it."""
        return UserId(self._bytes("user", number)[:16])

    def address(self, number: int) -> str:
        """The e-mail address."""
        return f"person.{number}@{'mail' if number % 3 else 'post'}.example.com"

    def user(self, number: int, email_key: str) -> User:
        """The profile."""
        created_ms = self.now_ms - (number * 977) % (700 * DAY_MS)
        return User(
            user_id=self.user_id(number),
            state=UserState.ACTIVE,
            epoch=0,
            email=self.address(number),
            email_key=email_key,
            username=None,
            username_key=None,
            scope="",
            display_name=f"Person {number} of Example",
            locale="en" if number % 4 else "de",
            created_ms=created_ms,
            verified_ms=created_ms + 60_000,
        )

    def person(self, number: int, email_key: str) -> Iterator[Row]:
        """The three items of an account: profile, password, and the marker of the address."""
        user = self.user(number, email_key)
        yield Table.USERS, dict(put_user(user).item)
        yield Table.USERS, dict(put_password(user.user_id, self.password_hash, now_ms=user.created_ms).item)
        yield Table.IDENTITIES, dict(take_name(email_key, user.user_id, now_ms=user.created_ms).item)

    def token(self, number: int, owner: int) -> RefreshToken:
        """The refresh token of the session ``number``, which belongs to the person ``owner``."""
        drawn = self._bytes("session", number)
        return RefreshToken(
            kid=self.kid,
            user_id=self.user_id(owner),
            session_id=SessionId(drawn[:16]),
            generation=7,
            secret=drawn[16 : 16 + SECRET_BYTES],
        )

    def session(self, token: RefreshToken, number: int) -> Row:
        """A session that was refreshed some times; half a day lies between the last time and now at most."""
        created_ms = self.now_ms - (number * 7919) % (20 * DAY_MS) - DAY_MS
        rotated_ms = self.now_ms - (number * 101) % (DAY_MS // 2) - 120_000
        session = Session(
            user_id=token.user_id,
            session_id=token.session_id,
            state=SessionState.ACTIVE,
            generation=token.generation,
            digest=token.digest,
            previous_digest=hashlib.sha256(token.digest).digest(),
            nonce=token.digest[:16],
            kid=token.kid,
            rotated_ms=rotated_ms,
            idle_expiry_ms=rotated_ms + IDLE_MS,
            absolute_expiry_ms=created_ms + ABSOLUTE_MS,
            epoch=0,
            created_ms=created_ms,
            facts=SignInFacts(
                client_id="first-party", scope="", amr=("pwd",), acr="aal1", auth_time_seconds=created_ms // 1000
            ),
            device=Device(name=None, user_agent=_AGENTS[number % len(_AGENTS)], address=f"203.0.{number % 256}.0/24"),
        )
        return Table.SESSIONS, session_items.to_item(session)

    def owners(self, random: Random) -> Iterator[int]:
        """Whose the sessions are, in the order of their numbers: signed in to in no order at all."""
        return (random.randrange(self.users) for _ in itertools.repeat(None, self.sessions))

    def _bytes(self, kind: str, number: int) -> bytes:
        return hashlib.blake2b(f"{self.seed}/{kind}/{number}".encode(), digest_size=48).digest()
