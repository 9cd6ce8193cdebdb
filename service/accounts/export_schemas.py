"""What goes over the wire of an export: what is held, and nothing that opens a door."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from service.audit.event import Agent
from service.kernel.ids import id_text
from service.users.schemas import USER_EXAMPLE, UserOut

if TYPE_CHECKING:
    from service.accounts.export import Exported
    from service.accounts.export_repo import Held
    from service.audit.entry import KeptEvent
    from service.sessions.model import Session
    from service.users.model import User

_ANOTHER_ACCOUNT = "another account"
_TIME = "2026-01-31T09:30:00Z"
_SESSION: dict[str, Any] = {
    "session_id": "5a0f4c0e-8f3b-4a39-9b7e-2f7d3c1b6a90",
    "state": "alive",
    "client_id": "first-party",
    "scope": "",
    "amr": ["pwd"],
    "acr": "aal1",
    "authenticated_at": _TIME,
    "created_at": _TIME,
    "last_used_at": _TIME,
    "idle_expires_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-05-01T09:30:00Z",
    "device_name": "Ada's phone",
    "user_agent": "ExampleApp/2.1",
    "address": "203.0.113.0/24",
    "ended_at": None,
    "ended_for": None,
}
_EVENT: dict[str, Any] = {
    "event_id": "1769851800000#0000#0123456789abcdef",
    "time": _TIME,
    "kind": "sign_in",
    "outcome": "ok",
    "session_id": "5a0f4c0e-8f3b-4a39-9b7e-2f7d3c1b6a90",
    "actor": None,
    "address": "203.0.113.0/24",
    "user_agent": "ExampleApp/2.1",
    "request_id": "7d061fd42247d8e3ca92b8b0840898bc",
    "alarming": False,
}

_PAGE: dict[str, Any] = {
    "user": USER_EXAMPLE,
    "credentials": [{"kind": "password", "set_at": _TIME}],
    "pending": [{"kind": "email_change", "new_email": "ada@example.org", "expires_at": "2026-01-31T10:00:00Z"}],
    "sessions": [_SESSION],
    "events": [_EVENT],
    "next_cursor": None,
}


class CredentialOut(BaseModel):
    """That there is a credential."""

    kind: Annotated[str, Field(description="One of a list that may grow.", examples=["password"])]
    set_at: Annotated[datetime | None, Field(examples=[_TIME])]


class PendingOut(BaseModel):
    """A link or code that was mailed and not used; it may have expired."""

    kind: Annotated[str, Field(examples=["email_change"])]
    new_email: Annotated[str | None, Field(examples=["ada@example.org"])]
    expires_at: Annotated[datetime, Field(examples=[_TIME])]


class ExportedSessionOut(BaseModel):
    """A session, alive or not, for as long as it is kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SESSION]})

    session_id: str
    state: Annotated[str, Field(description="`alive` or `ended`.")]
    client_id: str
    scope: str
    amr: list[str]
    acr: str
    authenticated_at: datetime
    created_at: datetime
    last_used_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    device_name: str | None
    user_agent: str | None
    address: Annotated[str | None, Field(description="The network that the sign-in came from, shortened.")]
    ended_at: datetime | None
    ended_for: str | None

    @classmethod
    def of(cls, session: Session, user: User, *, now_ms: int) -> Self:
        """The wire form of ``session`` of ``user``."""
        return cls(
            session_id=id_text(session.session_id),
            state="alive" if session.is_live(now_ms=now_ms, user_epoch=user.epoch) else "ended",
            client_id=session.facts.client_id,
            scope=session.facts.scope,
            amr=list(session.facts.amr),
            acr=session.facts.acr,
            authenticated_at=_time(session.facts.auth_time_seconds * 1000),
            created_at=_time(session.created_ms),
            last_used_at=_time(max(session.created_ms, session.rotated_ms)),
            idle_expires_at=_time(session.idle_expiry_ms),
            expires_at=_time(session.absolute_expiry_ms),
            device_name=session.device.name,
            user_agent=session.device.user_agent,
            address=session.device.address,
            ended_at=None if session.revoked_ms is None else _time(session.revoked_ms),
            ended_for=session.revoke_reason,
        )


class ExportedEventOut(BaseModel):
    """A security event. Who else had a hand in it is said, and not by which account."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EVENT]})

    event_id: str
    time: datetime
    kind: str
    outcome: str
    session_id: str | None
    actor: Annotated[str | None, Field(description="`operator`, `service`, `another account`, or null for the user.")]
    address: str | None
    user_agent: str | None
    request_id: str | None
    alarming: bool

    @classmethod
    def of(cls, event: KeptEvent, *, owner: str) -> Self:
        """The wire form of ``event``. Where somebody else acted, whence and by which request is theirs."""
        actor = None if event.actor in {None, owner} else event.actor
        if actor is not None and actor not in set(Agent):
            actor = _ANOTHER_ACCOUNT
        is_own = actor is None
        return cls(
            event_id=event.event_id,
            time=_time(event.time_ms),
            kind=event.kind,
            outcome=event.outcome,
            session_id=None if event.session_id is None else id_text(event.session_id),
            actor=actor,
            address=event.address if is_own else None,
            user_agent=event.user_agent if is_own else None,
            request_id=event.request_id if is_own else None,
            alarming=event.alarming,
        )


class ExportOut(BaseModel):
    """One page of an export. ``next_cursor`` is null on the last; until then there are more sessions or events."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PAGE]})

    user: UserOut
    credentials: list[CredentialOut]
    pending: list[PendingOut]
    sessions: list[ExportedSessionOut]
    events: list[ExportedEventOut]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Exported, *, next_cursor: str | None) -> Self:
        """The wire form of ``page``."""
        user = page.held.user
        owner = id_text(user.user_id)
        return cls(
            user=UserOut.of(user),
            credentials=[
                CredentialOut(kind=one.kind, set_at=None if one.set_ms is None else _time(one.set_ms))
                for one in page.held.credentials
            ],
            pending=_pending(page.held),
            sessions=[ExportedSessionOut.of(session, user, now_ms=page.now_ms) for session in page.sessions],
            events=[ExportedEventOut.of(event, owner=owner) for event in page.events],
            next_cursor=next_cursor,
        )


def _pending(held: Held) -> list[PendingOut]:
    found = []
    if held.reset is not None:
        found.append(PendingOut(kind="password_reset", new_email=None, expires_at=_time(held.reset.expires_ms)))
    if held.change is not None:
        change = held.change
        found.append(PendingOut(kind="email_change", new_email=change.email, expires_at=_time(change.expires_ms)))
    return found


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
