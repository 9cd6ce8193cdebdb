"""An account to look at."""

from __future__ import annotations

from dataclasses import replace

from service.kernel.ids import UserId
from service.users.model import User, UserState

NOW_MS = 1_800_000_000_000


def make_user(**changes):
    user = User(
        user_id=UserId(b"u" * 16),
        state=UserState.ACTIVE,
        epoch=0,
        email="ada@example.com",
        email_key="e1#00",
        username="ada",
        username_key="u1#00",
        scope="",
        display_name=None,
        locale="en",
        created_ms=NOW_MS - 1000,
        verified_ms=NOW_MS,
    )
    return replace(user, **changes)
