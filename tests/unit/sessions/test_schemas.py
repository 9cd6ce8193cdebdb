from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from service.kernel.ids import SessionId, id_text
from service.sessions.schemas import RefreshBody, SessionOut
from tests.unit.sessions.conftest import NOW_MS, make_session, make_token

TOKEN = make_token()


def test_a_session_is_shown_without_anything_that_could_be_presented():
    session = make_session(TOKEN, rotated_ms=NOW_MS + 1999)
    assert SessionOut.of(session, current=TOKEN.session_id).model_dump() == {
        "session_id": id_text(TOKEN.session_id),
        "created_at": datetime(2027, 1, 15, 7, tzinfo=UTC),
        "last_used_at": datetime(2027, 1, 15, 8, 0, 1, tzinfo=UTC),
        "expires_at": datetime(2027, 1, 15, 9, tzinfo=UTC),
        "device_name": "Ada's phone",
        "user_agent": "Firefox",
        "address": "192.0.2.0/24",
        "amr": ["pwd"],
        "current": True,
    }


def test_a_session_that_was_never_refreshed_was_last_used_when_it_began():
    shown = SessionOut.of(make_session(TOKEN), current=SessionId(b"o" * 16))
    assert shown.last_used_at == shown.created_at
    assert not shown.current


@pytest.mark.parametrize("value", ["", "x" * 513, 7, ["ktr_"], {"$ne": ""}, True])
def test_what_is_no_token_text_is_refused_before_any_flow(value):
    with pytest.raises(ValidationError):
        RefreshBody.model_validate({"refresh_token": value})
