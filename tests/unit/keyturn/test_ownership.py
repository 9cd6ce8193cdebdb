from __future__ import annotations

from uuid import UUID

import pytest

from keyturn import Owns
from keyturn.errors import NotFound


@pytest.fixture
def ada(keyturn_issuer):
    return keyturn_issuer.verifier().verify(keyturn_issuer.token_for("ada", scopes=["notes:all"]))


def test_an_ownership_can_say_what_it_loads(ada):
    assert Owns[dict](lambda note_id: {"owner_id": "ada"}).check(ada, {"note_id": 1}) == {"owner_id": "ada"}


@pytest.mark.parametrize("owner", [None, 1, True, b"ada", ["ada"], "", "ADA", "ada "])
def test_attack_only_the_same_text_is_the_owner(ada, owner):
    with pytest.raises(NotFound):
        Owns(lambda: {"owner_id": owner}).check(ada, {})


def test_an_owner_may_be_a_uuid(keyturn_issuer):
    subject = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"
    principal = keyturn_issuer.verifier().verify(keyturn_issuer.token_for(subject))
    assert Owns(lambda: {"owner_id": UUID(subject)}).check(principal, {})


def test_attack_a_scope_brings_nothing_into_being(ada):
    with pytest.raises(NotFound):
        Owns(lambda: None, or_scope="notes:all").check(ada, {})
    assert Owns(lambda: {"owner_id": "eve"}, or_scope="notes:all").check(ada, {}) == {"owner_id": "eve"}


def test_a_parameter_that_the_path_does_not_have_is_a_mistake_and_no_way_in(ada):
    with pytest.raises(KeyError):
        Owns("user").check(ada, {"user_id": "ada"})


def test_an_async_loader_is_refused_by_plain_code(ada):
    async def load():
        return {"owner_id": "ada"}

    with pytest.raises(TypeError, match="async"):
        Owns(load).check(ada, {})


async def test_either_kind_of_loader_is_taken_by_async_code(ada):
    async def load():
        return {"owner_id": "ada"}

    assert await Owns(load).check_async(ada, {})
    assert await Owns(lambda: {"owner_id": "ada"}).check_async(ada, {})
