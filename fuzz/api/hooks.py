"""What schemathesis loads: values that only the service can give, and a count of what was answered.

A guarded door is entered with a real token. A door that takes a mailed proof, a password or a refresh token gets a
genuine one at every fifth request that is meant to be valid: made up, they would be refused at the door each time.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import strategies as st

from fuzz.api.town import PASSWORD, Person, Town
from service.kernel.text import has_invisible_character

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 5

PEOPLE = json.loads(os.environ["FUZZ_PEOPLE"])
"""The Authorization headers of those as whom schemathesis goes; another one is meant to be refused."""

town = Town(url=os.environ["FUZZ_URL"], mail=Path(os.environ["FUZZ_MAIL"]))
seen: Counter[str] = Counter()
asked: Counter[str] = Counter()

schemathesis.openapi.format(
    "email", st.builds("{}@{}.example".format, st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True), st.just("fuzz"))
)
# Not likely to be guessed, and of a few, so that the right one is among them.
schemathesis.openapi.format(
    "password", st.sampled_from([PASSWORD, "seven bright red ducks", "eleven tired grey geese"])
)


def _tokens(person: Person) -> dict[str, str]:
    return {"refresh_token": person.tokens["refresh_token"]}


def _reset() -> dict[str, str]:
    email = town.forgetful()
    return {"token": town.token_for(email), "new_password": PASSWORD}


def _reset_by_code() -> dict[str, str]:
    email = town.forgetful()
    return {"email": email, "code": town.code_for(email), "new_password": PASSWORD}


def _confirmed_by_code() -> dict[str, str]:
    email = town.newcomer()
    return {"email": email, "code": town.code_for(email)}


BODIES: dict[str, tuple[Callable[[], dict[str, str]], ...]] = {
    "POST /v1/login": (lambda: {"identifier": town.resident, "password": PASSWORD},),
    "POST /v1/refresh": (lambda: _tokens(town.signed_in(town.resident)),),
    "POST /v1/logout": (lambda: _tokens(town.signed_in(town.resident)),),
    "POST /v1/email/verify": (lambda: {"token": town.token_for(town.newcomer())}, _confirmed_by_code),
    "POST /v1/password/reset": (_reset, _reset_by_code),
    "POST /v1/email/change/confirm": (lambda: {"token": town.token_for(town.moving(town.person()))},),
}
"""Bodies that the service accepts, for doors that take a secret of its making."""


def _close(case: Any) -> None:
    case.headers["Authorization"] = town.person().authorization


def _change_password(case: Any) -> None:
    case.headers["Authorization"] = town.person().authorization
    case.body = {"current_password": PASSWORD, "new_password": "eleven tired grey geese"}


def _confirm_by_code(case: Any) -> None:
    person = town.person()
    case.headers["Authorization"] = person.authorization
    case.body = {"code": town.code_for(town.moving(person))}


def _end_session(case: Any) -> None:
    person = town.signed_in(town.resident)
    case.headers["Authorization"] = person.authorization
    case.path_parameters = {"user_id": person.user_id, "session_id": person.tokens["session_id"]}


def _show(case: Any) -> None:
    """No schema names the letters that nobody sees, by their Unicode category; a name must have none."""
    name = case.body.get("display_name") if isinstance(case.body, dict) else None
    if isinstance(name, str):
        case.body["display_name"] = "".join(letter for letter in name if not has_invisible_character(letter))


def _poll(case: Any) -> None:
    case.headers["Authorization"] = f"Bearer {os.environ['FUZZ_FEED_KEY']}"


SPENT: dict[str, Callable[[Any], None]] = {
    "DELETE /v1/me": _close,
    "POST /v1/password/change": _change_password,
    "POST /v1/email/change/confirm-code": _confirm_by_code,
    "DELETE /v1/users/{user_id}/sessions/{session_id}": _end_session,
    "GET /v1/revocations": _poll,
}
"""Doors that use up the account, the proof or the session of whoever passes: somebody new is sent.

And the door for services, which go as nobody.
"""


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Put genuine values in, where the request is meant to be valid and carries its token."""
    label = case.operation.label
    always = label in {"DELETE /v1/me", "GET /v1/revocations"}
    if case.method != case.operation.method.upper() or not (always or _is_valid(case)):
        return
    if case.meta is not None and case.meta.phase.name == "stateful":
        # A sequence takes what the answers before have told; only its first step may need something genuine.
        _begin(case, label)
        if not always:
            return
    asked[label] += 1
    if label == "PATCH /v1/me":
        _show(case)
    elif label in SPENT and case.headers.get("Authorization") in PEOPLE and (always or asked[label] % EVERY == 1):
        SPENT[label](case)
    elif label in BODIES and asked[label] % EVERY == 1:
        ways = BODIES[label]
        case.body = ways[asked[label] // EVERY % len(ways)]()


def _begin(case: Any, label: str) -> None:
    """Let a sequence go on behind its first doors: a made-up password or cursor would end it there."""
    if label == "POST /v1/login":
        case.body = BODIES[label][0]()
    elif case.query:
        case.query.pop("cursor", None)


def _is_valid(case: Any) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Count."""
    seen[f"{case.method} {case.operation.path} {response.status_code}"] += 1


@atexit.register
def report() -> None:
    """Leave what was counted for ``fuzz.api.campaign``."""
    Path(os.environ["FUZZ_SEEN"]).write_text(json.dumps(seen), encoding="utf-8")
