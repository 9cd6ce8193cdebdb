"""A service as its author would write it, for ``mypy --strict`` to read; nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_type

from keyturn import (
    Answer,
    Bounds,
    GuardError,
    IssuerKeys,
    KeySet,
    NotFound,
    Owns,
    Principal,
    Requirement,
    Verifier,
    answer_to,
    errors,
    read_bearer,
)

if TYPE_CHECKING:
    from keyturn.testing.issuer import OfflineIssuer


@dataclass
class Note:
    owner_id: str
    text: str


async def load_note(note_id: str) -> Note | None:
    return Note("user", note_id)


def load_now(note_id: str) -> Note | None:
    return Note("user", note_id)


class Feed:
    def is_revoked(self, principal: Principal) -> bool:
        return principal.session_id is None


guard = Verifier(
    issuer="https://auth.example.com",
    audience="https://notes.example.com",
    leeway_seconds=2,
    max_lifetime_seconds=600,
    revocations=Feed(),
    bounds=Bounds(fetch_seconds=3),
)
shared = Verifier("https://auth.example.com", "other", keys=IssuerKeys("https://auth.example.com"))
pinned = Verifier("https://auth.example.com", "other", keys=KeySet.of())
writing = Requirement.of("notes:write", max_age_seconds=300)


def handle(lines: list[str]) -> Note | Answer:
    try:
        principal = guard.verify(read_bearer(lines))
        assert_type(principal, Principal)
        assert_type(principal.scopes, frozenset[str])
        assert_type(principal.session_id, str | None)
        assert_type(principal.claims, Mapping[str, object])
        guard.require(principal, writing)
        note = Owns(load_now, or_scope="notes:read").check(principal, {"note_id": "1"})
        assert_type(note, Note | None)
        if note is None:
            raise NotFound
    except errors.KeysUnavailable as error:
        assert_type(error.retry_after_seconds, int)
        return answer_to(error)
    except GuardError as error:
        assert_type(error.code, str)
        return answer_to(error)
    return note


async def handle_async(lines: list[str]) -> Note:
    principal = await guard.authenticate_async(lines)
    assert_type(principal, Principal)
    owned: Owns[Note] = Owns(load_note)
    note = await owned.check_async(principal, {"note_id": "1"})
    assert_type(note, Note | None)
    return owned.judge(principal, note)


def test_of_a_user(keyturn_issuer: OfflineIssuer) -> None:
    token = keyturn_issuer.token_for("user", scopes=["notes:read"], amr=["pwd"], age=10)
    assert_type(token, str)
    assert_type(keyturn_issuer.verifier(), Verifier)
