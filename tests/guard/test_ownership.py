"""What is not the caller's is not there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from keyturn import NotFound, Owns

MINE = "9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"
OTHERS = "11111111-1111-4111-8111-111111111111"


@dataclass
class Note:
    owner_id: object
    text: str = "hello"


NOTES = {"mine": Note(MINE), "theirs": Note(OTHERS), "nobody's": Note(None), "uuid": Note(UUID(MINE))}


@pytest.fixture
def caller(keyturn_issuer):
    return keyturn_issuer.verifier().verify(keyturn_issuer.token_for(MINE))


@pytest.fixture
def reader(keyturn_issuer):
    return keyturn_issuer.verifier().verify(keyturn_issuer.token_for("support", scopes=["notes:read"]))


def load(note_id):
    return NOTES.get(note_id)


async def load_later(note_id):
    return NOTES.get(note_id)


@pytest.mark.parametrize("value", [MINE, UUID(MINE)])
def test_the_callers_own_path_opens(caller, value):
    assert Owns("user_id").check(caller, {"user_id": value, "page": 1}) is None


@pytest.mark.parametrize("value", [OTHERS, MINE.upper(), f"{MINE} ", "", None, 7, [MINE], UUID(OTHERS)])
def test_insecure_direct_object_reference_no_other_path_opens(caller, value):
    with pytest.raises(NotFound):
        Owns("user_id").check(caller, {"user_id": value})


@pytest.mark.parametrize("value", [None, 7, True, [], {}])
def test_type_confusion_no_subject_is_spelled_like_what_is_no_text(keyturn_issuer, value):
    """A loader that knows no owner answers None; nobody may be called that."""
    tricky = keyturn_issuer.verifier().verify(keyturn_issuer.token_for(str(value)))
    with pytest.raises(NotFound):
        Owns("user_id").check(tricky, {"user_id": value})
    with pytest.raises(NotFound):
        Owns(lambda: {"owner_id": value}).check(tricky, {})


def test_a_parameter_that_the_route_does_not_have_is_a_mistake_and_opens_nothing(caller):
    with pytest.raises(KeyError):
        Owns("user_id").check(caller, {"id": MINE})


@pytest.mark.parametrize("loader", [load, load_later])
async def test_what_is_mine_is_handed_over(caller, loader):
    assert (await Owns(loader).check_async(caller, {"note_id": "mine"})) is NOTES["mine"]
    assert (await Owns(loader).check_async(caller, {"note_id": "uuid"})) is NOTES["uuid"]


@pytest.mark.parametrize("note_id", ["theirs", "nobody's", "missing"])
@pytest.mark.parametrize("loader", [load, load_later])
async def test_enumeration_not_mine_and_not_there_look_alike(caller, loader, note_id):
    with pytest.raises(NotFound) as refusal:
        await Owns(loader).check_async(caller, {"note_id": note_id})
    assert str(refusal.value) == "not there, or not the caller's"


@pytest.mark.parametrize("note_id", ["mine", "theirs", "missing"])
def test_enumeration_by_time_each_answer_costs_one_load(caller, note_id):
    loads = []

    def counted(note_id):
        loads.append(note_id)
        return NOTES.get(note_id)

    try:
        Owns(counted).check(caller, {"note_id": note_id})
    except NotFound:
        assert note_id != "mine"
    assert loads == [note_id]


def test_a_scope_opens_what_is_there_and_makes_nothing_out_of_nothing(caller, reader):
    anybodys = Owns(load, or_scope="notes:read")
    assert anybodys.check(reader, {"note_id": "theirs"}) is NOTES["theirs"]
    with pytest.raises(NotFound):
        anybodys.check(reader, {"note_id": "missing"})
    with pytest.raises(NotFound):
        anybodys.check(caller, {"note_id": "theirs"})
    with pytest.raises(NotFound):
        Owns(load).check(reader, {"note_id": "theirs"})
    assert Owns("user_id", or_scope="notes:read").check(reader, {"user_id": OTHERS}) is None


def test_an_owner_may_be_an_attribute_a_key_or_a_function(caller):
    assert Owns(lambda: {"user": MINE}, owner="user").check(caller, {}) == {"user": MINE}
    assert Owns(lambda: (MINE, 1), owner=lambda pair: pair[0]).check(caller, {}) == (MINE, 1)
    for owner in ("user", "owner_id"):
        with pytest.raises((KeyError, NotFound)):
            Owns(lambda: {"user": OTHERS}, owner=owner).check(caller, {})


def test_an_async_loader_is_refused_by_plain_code_with_no_door_open(caller):
    with pytest.raises(TypeError, match="async"):
        Owns(load_later).check(caller, {"note_id": "mine"})


def test_a_loader_that_fails_opens_nothing(caller):
    def broken(note_id):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Owns(broken).check(caller, {"note_id": "mine"})
