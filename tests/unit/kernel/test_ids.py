from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.entropy import SystemEntropy
from service.kernel.ids import (
    ID_BYTES,
    UserId,
    id_text,
    new_session_id,
    new_user_id,
    parse_id,
    parse_session_id,
    parse_user_id,
)

CANONICAL = "0190a6d0-1c2f-4d3e-8f00-0123456789ab"


@pytest.mark.parametrize("make", [new_user_id, new_session_id])
def test_a_fresh_id_is_a_random_uuid_of_version_4(make):
    made = make(SystemEntropy())
    assert len(made) == ID_BYTES
    assert uuid.UUID(bytes=made).version == 4
    assert uuid.UUID(bytes=made).variant == uuid.RFC_4122
    assert make(SystemEntropy()) != made


@given(st.binary(min_size=16, max_size=16))
def test_the_wire_form_reads_back_as_the_same_id(raw):
    text = id_text(UserId(raw))
    assert parse_id(text) == parse_user_id(text) == parse_session_id(text) == raw


@pytest.mark.parametrize(
    "other",
    [
        "",
        CANONICAL.upper(),
        CANONICAL.replace("-", ""),
        "{" + CANONICAL + "}",
        "urn:uuid:" + CANONICAL,
        CANONICAL + "\n",
        " " + CANONICAL,
        CANONICAL[:-1],
        CANONICAL[:-1] + "g",
        CANONICAL[:-1] + "\uff11",
        CANONICAL[:-1] + "\u0661",
    ],
)
def test_no_other_spelling_is_an_id(other):
    assert parse_id(other) is None
    assert parse_user_id(other) is None
    assert parse_session_id(other) is None
