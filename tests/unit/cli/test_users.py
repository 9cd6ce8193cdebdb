"""``keyturn users`` on a real table, and what the service makes of it."""

from __future__ import annotations

import re

import pytest

PASSWORD = "correct horse battery staple"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def create(keyturn, *more, email="ada@example.com", password=PASSWORD):
    return keyturn("users", "create", "--email", email, "--password-stdin", *more, stdin=f"{password}\n")


def test_a_user_is_made_and_its_id_is_all_that_is_printed(keyturn):
    status, out, err = create(keyturn, "--username", "ada", "--scope", "users:read")
    assert (status, err) == (0, "")
    assert UUID.fullmatch(out.strip())


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
async def test_the_new_user_signs_in_with_its_scope(keyturn, settings, open_app, ending):
    import asyncio

    arguments = ("users", "create", "--email", "ada@example.com", "--scope", "users:read", "--password-stdin")
    status, _, err = await asyncio.to_thread(keyturn, *arguments, stdin=PASSWORD + ending)
    assert status == 0, err
    async with open_app(settings) as client:
        answer = await client.post("/v1/login", json={"identifier": "ada@example.com", "password": PASSWORD})
        assert (answer.status_code, answer.json()["scope"]) == (200, "users:read")


def test_the_password_may_be_asked_for_and_is_not_shown(keyturn):
    status, out, _ = keyturn("users", "create", "--email", "ada@example.com", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert status == 0
    assert PASSWORD not in out


def test_there_is_no_option_that_would_put_a_password_into_the_shells_history(keyturn):
    assert keyturn("users", "create", "--email", "a@example.com", "--password", PASSWORD)[0] == 2


@pytest.mark.parametrize(
    ("email", "more", "password", "says"),
    [
        ("ada@example.com", (), "tooshort", "password: Use at least 15 characters."),
        ("ada@example.com", (), "", "password: "),
        ("nobody", (), PASSWORD, "email: "),
        ("ada@example.com", ("--username", "a b"), PASSWORD, "username: "),
    ],
)
def test_the_same_policy_holds_and_a_refusal_is_one_line(keyturn, email, more, password, says):
    status, out, err = create(keyturn, *more, email=email, password=password)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("keyturn: ")
    assert says in err
    assert PASSWORD not in err


@pytest.mark.parametrize("scope", [" ", "a  b", 'a"b', "a\\b", "a\nb", "\u00e4"])
def test_a_scope_that_cannot_be_one_is_a_usage_error(keyturn, scope):
    status, _, err = create(keyturn, "--scope", scope)
    assert (status, len(err.splitlines())) == (2, 1)


def test_a_taken_name_is_said_in_one_line(keyturn):
    create(keyturn, "--username", "ada")
    for email, more, code in (
        ("ADA@example.com", (), "email_taken"),
        ("other@example.com", ("--username", "Ada"), "username_taken"),
    ):
        status, out, err = create(keyturn, *more, email=email)
        assert (status, out, len(err.splitlines())) == (1, "", 1)
        assert code in err


def test_a_user_is_disabled_and_enabled_by_any_of_its_names(keyturn):
    user_id = create(keyturn, "--username", "ada")[1].strip()
    for who in (user_id, "Ada@Example.com", "ADA"):
        assert keyturn("users", "disable", who) == (0, f"{user_id} is disabled\n", "")
        assert keyturn("users", "disable", who) == (0, f"{user_id} is disabled\n", "")
        assert keyturn("users", "enable", who) == (0, f"{user_id} is active\n", "")


@pytest.mark.parametrize(
    "who", ["nobody", "nobody@example.com", "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d", "not a name", "", "a@b@c"]
)
def test_nobody_is_said_in_one_line(keyturn, who):
    for word in ("disable", "enable"):
        assert keyturn("users", word, who) == (1, "", f"keyturn: there is no user {who!r}\n")
