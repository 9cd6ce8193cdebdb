"""All sessions of one user: listed and ended without an index, whatever begins meanwhile."""

from __future__ import annotations

import pytest

from keyturn.websession import people
from keyturn.websession.errors import SessionEnded
from tests.websession.conftest import IDLE


def test_a_list_shows_the_live_sessions_of_one_user_alone(sessions, subject, clock):
    sessions.start({"device": "old"}, subject=subject)
    clock.advance(seconds=IDLE)
    one = sessions.start({"device": "phone"}, subject=subject)
    two = sessions.start({"device": "desk"}, subject=subject)
    sessions.start({"device": "somebody else's"}, subject="somebody-else")
    listed = people.list_all(sessions, subject)
    assert {session.data["device"] for session in listed} == {"phone", "desk"}
    assert {session.handle for session in listed} == {people.handle_of(one), people.handle_of(two)}


def test_a_handle_is_not_the_id(sessions, subject):
    begun = sessions.start({}, subject=subject)
    handle = people.handle_of(begun)
    assert handle not in begun.id.cookie
    assert sessions.open(handle) is None
    assert sessions.open((begun.id.cookie[:21] + handle)[:64]) is None


def test_one_is_ended_by_its_handle(sessions, subject):
    one, two = sessions.start({}, subject=subject), sessions.start({}, subject=subject)
    assert people.end_one(sessions, subject, people.handle_of(one))
    assert sessions.open(one.id.cookie) is None
    assert sessions.open(two.id.cookie)
    assert not people.end_one(sessions, subject, people.handle_of(one))


def test_another_users_session_cannot_be_ended_by_its_handle(sessions, subject):
    victims = sessions.start({}, subject="victim-of-a-handle")
    assert not people.end_one(sessions, subject, people.handle_of(victims))
    assert sessions.open(victims.id.cookie)


def test_the_marker_is_no_session_and_cannot_be_ended(sessions, subject):
    people.end_all(sessions, subject)
    assert people.list_all(sessions, subject) == ()
    for handle in ("epoch", "", "#epoch"):
        assert not people.end_one(sessions, subject, handle)
    assert people.epoch(sessions, subject) == 1


def test_all_are_ended_and_counted_over_pages(sessions, subject, dynamodb):
    sessions_of_subject = [sessions.start({}, subject=subject) for _ in range(3)]
    bystander = sessions.start({}, subject="bystander")
    event = "provide-client-params.dynamodb.Query"
    dynamodb.meta.events.register(event, lambda params, **_: params.update(Limit=1), unique_id="pages")
    assert people.end_all(sessions, subject) == 3
    dynamodb.meta.events.unregister(event, unique_id="pages")
    assert [sessions.open(session.id.cookie) for session in sessions_of_subject] == [None] * 3
    assert sessions.open(bystander.id.cookie)


def test_a_sign_in_that_began_before_all_were_ended_fails(sessions, subject):
    """The password was right when it was looked at, and was changed before the session began."""
    before = people.epoch(sessions, subject)
    people.end_all(sessions, subject)
    with pytest.raises(SessionEnded):
        sessions.start({}, subject=subject, epoch=before)
    assert people.list_all(sessions, subject) == ()
    assert sessions.start({}, subject=subject, epoch=people.epoch(sessions, subject))


def test_a_session_written_after_all_were_looked_for_ends_itself(sessions, subject, table):
    table.before["create"] = lambda: people.end_all(sessions, subject)
    with pytest.raises(SessionEnded):
        sessions.start({}, subject=subject)
    assert people.list_all(sessions, subject) == ()


def test_a_session_does_not_slip_away_by_taking_a_new_id(sessions, subject, table):
    """The query saw the old id only, and the old id is ended twice; the new one must not live."""
    begun = sessions.start({}, subject=subject)

    def rotate():
        with pytest.raises(SessionEnded):
            sessions.rotate(begun, {}, subject=subject, proven=False)

    table.before["delete"] = rotate
    people.end_all(sessions, subject)
    assert people.list_all(sessions, subject) == ()


def test_the_session_at_hand_is_kept_by_beginning_it_anew(sessions, subject):
    begun = sessions.start({"cart": 1}, subject=subject)
    people.end_all(sessions, subject)
    after = sessions.rotate(begun, begun.data, subject=subject, proven=True)
    assert sessions.open(after.id.cookie).data == {"cart": 1}


@pytest.mark.parametrize("wrong", ["", "x" * 513])
def test_a_subject_is_a_short_text(sessions, wrong):
    with pytest.raises(ValueError, match="a subject is"):
        sessions.start({}, subject=wrong)
