"""What goes over the wire about users."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from service.kernel.ids import id_text
from service.web.strict_json import StrictModel

if TYPE_CHECKING:
    from service.tokens.gatekeeper import Caller
    from service.users.model import User

LOCALE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
Locale = Annotated[str, Field(max_length=35, pattern=LOCALE_PATTERN, examples=["de-AT"])]

USER_EXAMPLE: dict[str, Any] = {
    "user_id": "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d",
    "email": "ada@example.com",
    "username": "ada",
    "display_name": "Ada Lovelace",
    "locale": "en",
    "state": "active",
    "scope": "",
    "created_at": "2026-01-31T09:30:00Z",
    "email_verified_at": "2026-01-31T09:30:00Z",
}
_SIGN_IN: dict[str, Any] = {
    "session_id": "5a0f4c0e-8f3b-4a39-9b7e-2f7d3c1b6a90",
    "auth_time": 1769851800,
    "amr": ["pwd"],
}


class UserOut(BaseModel):
    """A user as its owner, or an operator, sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [USER_EXAMPLE]})

    user_id: str
    email: str | None
    username: str | None
    display_name: str | None
    locale: str | None
    state: str
    scope: str
    created_at: datetime
    email_verified_at: datetime | None

    @classmethod
    def of(cls, user: User) -> Self:
        """The wire form of ``user``."""
        return cls(**_shown(user))


class MeOut(UserOut):
    """The caller, with what its access token says of the session."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**USER_EXAMPLE, **_SIGN_IN}]})

    session_id: str
    auth_time: Annotated[int, Field(description="When the user gave proof, in seconds since the epoch.")]
    amr: list[str]

    @classmethod
    def of_caller(cls, user: User, caller: Caller) -> Self:
        """The wire form of ``user``, who came as ``caller``."""
        return cls(
            **_shown(user),
            session_id=id_text(caller.session_id),
            auth_time=caller.principal.auth_time or 0,
            amr=list(caller.principal.amr),
        )


class ProfileBody(StrictModel):
    """What a user may change of itself. What is left out stays; an empty string clears it."""

    display_name: Annotated[str | None, Field(max_length=64, examples=["Ada Lovelace"])] = None
    locale: Annotated[str | None, Field(max_length=35, pattern=r"^$|" + LOCALE_PATTERN, examples=["en"])] = None


def _shown(user: User) -> dict[str, Any]:
    return {
        "user_id": id_text(user.user_id),
        "email": user.email,
        "username": user.username,
        "display_name": user.display_name or None,
        "locale": user.locale or None,
        "state": user.state.value,
        "scope": user.scope,
        "created_at": _time(user.created_ms),
        "email_verified_at": None if user.verified_ms is None else _time(user.verified_ms),
    }


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, tz=UTC)
