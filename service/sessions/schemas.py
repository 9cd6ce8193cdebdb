"""What goes over the wire about sessions and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from service.kernel.ids import id_text
from service.web.strict_json import StrictModel

if TYPE_CHECKING:
    from service.kernel.ids import SessionId
    from service.sessions.issue import IssuedTokens
    from service.sessions.model import Session

TokenText = Annotated[str, Field(min_length=1, max_length=512)]
_REFRESH_EXAMPLE = "ktr_0" + "x" * 100
_SESSION_ID = "5a0f4c0e-8f3b-4a39-9b7e-2f7d3c1b6a90"
_TOKENS: dict[str, Any] = {
    "access_token": "header.claims.signature",
    "token_type": "Bearer",
    "expires_in": 300,
    "refresh_token": _REFRESH_EXAMPLE,
    "refresh_expires_in": 2_592_000,
    "scope": "",
    "session_id": _SESSION_ID,
}
_SESSION: dict[str, Any] = {
    "session_id": _SESSION_ID,
    "created_at": "2026-01-31T09:30:00Z",
    "last_used_at": "2026-02-01T18:05:00Z",
    "expires_at": "2026-03-03T18:05:00Z",
    "device_name": "Ada's phone",
    "user_agent": "ExampleApp/2.1",
    "address": "203.0.113.0/24",
    "amr": ["pwd"],
    "current": True,
}


class RefreshBody(StrictModel):
    """The refresh token of a bearer client; a browser sends the cookie instead."""

    refresh_token: Annotated[TokenText | None, Field(examples=[_REFRESH_EXAMPLE])] = None


class TokensOut(BaseModel):
    """The tokens of one answer; with the cookie transport the refresh token is not among them."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TOKENS]})

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's name, not a token
    expires_in: Annotated[int, Field(description="Seconds until the access token expires.")]
    refresh_token: str | None = None
    refresh_expires_in: Annotated[int, Field(description="Seconds until the session ends if it is not used.")]
    scope: str
    session_id: str

    @classmethod
    def of(cls, issued: IssuedTokens, *, with_refresh_token: bool) -> Self:
        """The answer for ``issued``."""
        return cls(
            access_token=issued.access_token.reveal(),
            expires_in=issued.expires_in_seconds,
            refresh_token=issued.refresh_token.reveal() if with_refresh_token else None,
            refresh_expires_in=issued.refresh_expires_in_seconds,
            scope=issued.scope,
            session_id=issued.session_id,
        )


class SessionOut(BaseModel):
    """A session as its owner sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    session_id: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    device_name: str | None
    user_agent: str | None
    address: Annotated[str | None, Field(description="The network that the sign-in came from, shortened.")]
    amr: list[str]
    current: Annotated[bool, Field(description="Whether the access token of this request belongs to it.")]

    @classmethod
    def of(cls, session: Session, *, current: SessionId) -> Self:
        """The wire form of ``session``."""
        return cls(
            session_id=id_text(session.session_id),
            created_at=_time(session.created_ms),
            last_used_at=_time(max(session.created_ms, session.rotated_ms)),
            expires_at=_time(session.expires_ms()),
            device_name=session.device.name,
            user_agent=session.device.user_agent,
            address=session.device.address,
            amr=list(session.facts.amr),
            current=session.session_id == current,
        )


class SessionsOut(BaseModel):
    """One page; ``next_cursor`` is null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sessions": [_SESSION], "next_cursor": None}]})

    sessions: list[SessionOut]
    next_cursor: str | None


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, tz=UTC)
