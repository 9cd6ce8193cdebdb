"""What goes over the wire about events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from service.kernel.ids import id_text

if TYPE_CHECKING:
    from pydantic.config import JsonDict

    from service.audit.entry import KeptEvent


_EVENT: JsonDict = {
    "event_id": "1800000000000#0000#0123456789abcdef",
    "time": "2027-01-15T08:00:00.000Z",
    "kind": "sign_in",
    "outcome": "ok",
    "session_id": "5d1f0a3c-2b4e-4c6d-9e8f-7a6b5c4d3e2f",
    "actor": None,
    "address": "203.0.113.0/24",
    "user_agent": "Mozilla/5.0",
    "request_id": "7d061fd42247d8e3ca92b8b0840898bc",
    "alarming": False,
}


class EventOut(BaseModel):
    """An event as the user that it happened to sees it."""

    event_id: Annotated[str, Field(examples=["1800000000000#0000#0123456789abcdef"])]
    time: Annotated[datetime, Field(description="RFC 3339, UTC, to the millisecond.")]
    kind: Annotated[str, Field(description="One of a closed list, which may grow.", examples=["sign_in"])]
    outcome: Annotated[str, Field(examples=["ok"])]
    session_id: str | None
    actor: Annotated[
        str | None,
        Field(description="Who did it where that was not the user: the id of an account, `operator` or `service`."),
    ]
    address: Annotated[str | None, Field(description="The network that the request came from, shortened.")]
    user_agent: str | None
    request_id: Annotated[str | None, Field(description="The `X-Request-Id` of the request's answer.")]
    alarming: bool

    @classmethod
    def of(cls, event: KeptEvent) -> Self:
        """The wire form of ``event``."""
        return cls(
            event_id=event.event_id,
            time=datetime.fromtimestamp(event.time_ms / 1000, tz=UTC),
            kind=event.kind,
            outcome=event.outcome,
            session_id=None if event.session_id is None else id_text(event.session_id),
            actor=event.actor,
            address=event.address,
            user_agent=event.user_agent,
            request_id=event.request_id,
            alarming=event.alarming,
        )


class EventsOut(BaseModel):
    """One page; ``next_cursor`` is null on the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [_EVENT], "next_cursor": None}]})

    events: list[EventOut]
    next_cursor: str | None
