"""What the sender of a request sees of each error (RFC 6750 section 3, RFC 9470 section 3)."""

from __future__ import annotations

import re

import pytest

from keyturn import answer_to, errors
from tests.guard.attacks import CHALLENGE


def subclasses(kind):
    return [kind, *(deeper for one in kind.__subclasses__() for deeper in subclasses(one))]


# Other parts of the library may add to the tree; these are the ones of the page.
ALL = [kind for kind in subclasses(errors.GuardError) if kind.__module__ == errors.__name__]
TOKEN_ERRORS = subclasses(errors.TokenError)


def make(kind):
    """An error whose message must not be seen."""
    if issubclass(kind, errors.InsufficientScope):
        return kind("notes:read", "notes:write")
    if issubclass(kind, errors.StepUpRequired):
        return kind(max_age_seconds=300, acr_values=("urn:two", "urn:three"))
    return kind("canary-4711")


@pytest.mark.parametrize("kind", ALL)
def test_no_answer_says_more_than_its_status_its_code_and_its_sentence(kind):
    answer = answer_to(make(kind))
    assert "canary" not in repr(answer) + repr(answer.problem)
    assert answer.problem == {
        "type": f"urn:keyturn:problem:{answer.code}",
        "title": answer.title,
        "status": answer.status,
        "code": answer.code,
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.title.endswith(".")


@pytest.mark.parametrize("kind", ALL)
def test_every_401_has_a_challenge_and_every_503_a_time(kind):
    answer = answer_to(make(kind))
    assert ("WWW-Authenticate" in answer.headers) == (answer.status in {401, 403})
    assert ("Retry-After" in answer.headers) == (answer.status == 503)


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.status in {401, 403}])
def test_a_challenge_names_its_realm_and_has_the_grammar_of_the_rfc(kind):
    """RFC 6750 section 3: ``Bearer``, then one or more parameters; quoted strings of what the section lets in."""
    challenge = answer_to(make(kind)).headers["WWW-Authenticate"]
    pairs = re.fullmatch(r"Bearer ((?:[a-z_]+=\"[\x20\x21\x23-\x5B\x5D-\x7E]+\"(?:, (?!$)|$))+)", challenge)
    assert pairs is not None, challenge
    names = re.findall(r"([a-z_]+)=", pairs[1])
    assert names[0] == "realm"
    assert len(set(names)) == len(names)


def test_the_codes_are_stable_and_no_two_errors_share_one():
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    for kind in ALL:
        assert f"{kind.__name__} " in errors.__doc__ or kind is errors.GuardError
        assert kind.code in errors.__doc__ or kind is errors.GuardError


def test_without_a_token_the_challenge_names_no_error():
    answer = answer_to(errors.NoToken())
    assert (answer.status, answer.headers["WWW-Authenticate"], answer.code) == (401, CHALLENGE, "missing_token")


def test_every_refusal_of_a_token_looks_the_same():
    assert len(TOKEN_ERRORS) > 12
    answers = {repr(answer_to(make(kind))) for kind in TOKEN_ERRORS}
    assert len(answers) == 1
    answer = answer_to(errors.Expired())
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="invalid_token"'


def test_a_missing_scope_names_all_scopes_that_are_needed():
    answer = answer_to(make(errors.InsufficientScope))
    assert answer.status == 403
    assert (
        answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="notes:read notes:write"'
    )


@pytest.mark.parametrize(
    ("asked", "parameters"),
    [
        ({}, ""),
        ({"max_age_seconds": 0}, ', max_age="0"'),
        ({"acr_values": ("urn:two", "urn:three")}, ', acr_values="urn:two urn:three"'),
        ({"max_age_seconds": 9, "acr_values": ("urn:two",)}, ', acr_values="urn:two", max_age="9"'),
    ],
)
def test_a_step_up_names_what_is_asked_for(asked, parameters):
    answer = answer_to(errors.StepUpRequired(**asked))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="insufficient_user_authentication"{parameters}'


def test_not_there_and_not_mine_is_a_plain_404():
    answer = answer_to(errors.NotFound("not the caller's"))
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("kind", [errors.KeysUnavailable, errors.RevocationUnknown])
def test_what_cannot_be_known_is_503_with_a_time(kind):
    answer = answer_to(kind("canary", retry_after_seconds=7))
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "7")


@pytest.mark.parametrize("scope", ['a", error="', "a\r\nSet-Cookie: x=1", "a b", "ä", "\\", ""])
def test_attack_header_injection_a_name_that_cannot_stand_in_a_challenge_is_left_out(scope):
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="ok"'
    assert challenge_of(errors.InsufficientScope("ok", scope)) == challenge
    assert challenge_of(errors.InsufficientScope(scope)) == f'{CHALLENGE}, error="insufficient_scope"'
    assert (
        challenge_of(errors.StepUpRequired(acr_values=(scope,)))
        == f'{CHALLENGE}, error="insufficient_user_authentication"'
    )


def challenge_of(error):
    return answer_to(error).headers["WWW-Authenticate"]
