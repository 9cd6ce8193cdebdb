"""One session: what it keeps, how long it lives, and what cannot bring it back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from keyturn.websession import people
from keyturn.websession.errors import SessionConflict, SessionEnded, SessionNotJson, SessionTooLarge
from keyturn.websession.ids import SessionId
from tests.websession.conftest import ABSOLUTE, IDLE
from tests.websession.thief import cookies_from, spellings


def test_what_was_put_in_is_read_again(sessions, subject):
    begun = sessions.start({"cart": [1, {"id": "é"}]}, subject=subject)
    found = sessions.open(begun.id.cookie)
    assert found == begun
    assert (found.subject, found.data) == (subject, {"cart": [1, {"id": "é"}]})


def test_an_id_is_chance_and_lies_in_the_table_as_a_digest_only(sessions, item):
    one, other = sessions.start({}), sessions.start({})
    assert len(one.id.secret) == 32
    assert one.id.secret != other.id.secret
    stored = repr(item(one))
    assert one.id.cookie not in stored
    for spelling in spellings(one.id.secret):
        assert spelling not in stored


def test_who_reads_the_table_can_make_no_cookie_of_it(sessions, subject, item):
    for begun in (sessions.start({}), sessions.start({}, subject=subject)):
        candidates = {text for text in cookies_from([item(begun)]) if SessionId.parse(text)}
        assert candidates, "the key of an item has the parts of an id, if it were stored as it is"
        assert [sessions.open(cookie) for cookie in candidates] == [None] * len(candidates)


def test_who_reads_the_table_reads_no_data_and_no_user(sessions, subject, item):
    begun = sessions.start({"note": "confidential"}, subject=subject)
    stored = repr(item(begun))
    assert "confidential" not in stored
    assert subject not in stored


def test_a_representation_shows_no_id_and_no_data(sessions):
    begun = sessions.start({"note": "confidential"})
    assert "confidential" not in repr(begun)
    assert repr(begun.id.secret)[2:-1] not in repr(begun)
    assert repr(sessions).count("random") == 0


@pytest.mark.parametrize(
    "cookie", [None, "", "x", "A" * 63, "A" * 65, "A" * 63 + "=", "A" * 63 + "é", "A" * 32 + " " * 32]
)
def test_what_is_no_id_costs_no_request(sessions, table, cookie):
    assert sessions.open(cookie) is None
    assert table.calls == []


def test_a_changed_cookie_finds_nothing(sessions, subject):
    cookie = sessions.start({}, subject=subject).id.cookie
    for place in (0, 21, 22, 63):
        changed = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        assert sessions.open(changed) is None


def test_an_id_is_not_found_in_another_users_partition(sessions, subject):
    begun = sessions.start({}, subject=subject)
    other = SessionId.new(subject="somebody-else", random=bytes)
    assert sessions.open(SessionId(other.partition, begun.id.secret).cookie) is None


class TestExpiry:
    def test_an_idle_session_is_over_though_its_item_is_there(self, sessions, clock, item):
        begun = sessions.start({})
        clock.advance(seconds=IDLE - 0.001)
        assert sessions.open(begun.id.cookie)
        clock.advance(seconds=0.001)
        assert sessions.open(begun.id.cookie) is None
        assert item(begun), "DynamoDB deletes by TTL when it finds the time"

    def test_use_keeps_it_alive_but_never_past_its_absolute_life(self, sessions, clock, item):
        begun = current = sessions.start({})
        for _ in range(ABSOLUTE // IDLE * 2 - 1):
            clock.advance(seconds=IDLE / 2)
            current = sessions.save(current, {})
        assert sessions.open(begun.id.cookie)
        clock.advance(seconds=IDLE / 2)
        assert sessions.open(begun.id.cookie) is None
        assert int(item(begun)["ix"]["N"]) == int(item(begun)["ax"]["N"]) == clock.now_ms()

    def test_an_expired_session_cannot_be_saved_alive_by_whoever_read_it_before(self, sessions, clock):
        begun = sessions.start({})
        clock.advance(seconds=IDLE)
        with pytest.raises(SessionEnded):
            sessions.save(begun, {"late": True})
        assert sessions.open(begun.id.cookie) is None

    def test_the_absolute_life_is_in_the_write_condition_too(self, sessions, clock, item, overwrite):
        begun = sessions.start({})
        clock.advance(seconds=ABSOLUTE)
        # Somebody's idle life that was written too long.
        overwrite(item(begun) | {"ix": {"N": str(clock.now_ms() + 1000)}})
        with pytest.raises(SessionEnded):
            sessions.save(begun, {"late": True})
        assert sessions.open(begun.id.cookie) is None

    def test_ttl_is_written_after_the_idle_life_and_is_never_read(self, sessions, item, overwrite):
        begun = sessions.start({})
        stored = item(begun)
        assert int(stored["ttl"]["N"]) * 1000 > int(stored["ix"]["N"])
        overwrite(stored | {"ttl": {"N": "1"}})
        assert sessions.open(begun.id.cookie)


class TestEnding:
    def test_what_was_ended_is_gone(self, sessions, item):
        begun = sessions.start({})
        sessions.end(begun.id)
        assert sessions.open(begun.id.cookie) is None
        assert item(begun) is None
        sessions.end(begun.id)

    def test_a_late_save_does_not_bring_it_back(self, sessions, item):
        begun = sessions.start({"user": "u"})
        sessions.end(begun.id)
        with pytest.raises(SessionEnded):
            sessions.save(begun, {"user": "u", "late": True})
        assert item(begun) is None

    def test_signing_out_while_another_request_saves_always_ends_it(self, sessions, item):
        for _ in range(10):
            begun = sessions.start({})
            start = threading.Barrier(2)

            def save(begun=begun, start=start):
                start.wait()
                try:
                    for number in range(5):
                        sessions.save(begun, {"n": number})
                except SessionEnded:
                    return

            def end(begun=begun, start=start):
                start.wait()
                sessions.end(begun.id)

            with ThreadPoolExecutor(2) as pool:
                for future in [pool.submit(save), pool.submit(end)]:
                    future.result()
            assert item(begun) is None


class TestTwoRequestsAtOnce:
    def test_both_keep_what_they_changed(self, sessions):
        begun = sessions.start({"kept": 1, "removed": 1, "flag": 1})
        sessions.save(begun, {"kept": 1, "removed": 1, "flag": 1, "theirs": 2})
        sessions.save(begun, {"kept": 1, "flag": True, "mine": 3})
        data = sessions.open(begun.id.cookie).data
        assert data == {"kept": 1, "flag": True, "theirs": 2, "mine": 3}
        assert data["flag"] is True

    def test_of_one_name_the_later_value_stays(self, sessions):
        begun = sessions.start({"n": 0})
        sessions.save(begun, {"n": 1})
        sessions.save(begun, {"n": 2})
        assert sessions.open(begun.id.cookie).data == {"n": 2}

    def test_eight_threads_lose_nothing(self, sessions):
        begun = sessions.start({})
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: sessions.save(begun, {f"n{number}": number}), range(8)))
        assert sessions.open(begun.id.cookie).data == {f"n{number}": number for number in range(8)}

    def test_a_session_that_others_change_all_the_time_is_a_conflict(self, sessions, table):
        begun = sessions.start({})
        quiet = replace(sessions, table=table.table)

        def other():
            quiet.save(begun, {"other": quiet.open(begun.id.cookie).version})
            table.before["replace"] = other

        table.before["replace"] = other
        with pytest.raises(SessionConflict):
            sessions.save(begun, {"mine": 1})


class TestRotation:
    def test_a_new_id_at_sign_in_makes_the_old_one_worthless(self, sessions, subject, item):
        planted = sessions.start({"cart": 1})
        after = sessions.rotate(planted, planted.data, subject=subject, proven=True)
        assert after.id.secret != planted.id.secret
        assert sessions.open(planted.id.cookie) is None
        assert item(planted) is None
        assert sessions.open(after.id.cookie).data == {"cart": 1}

    def test_sign_in_begins_a_new_life(self, sessions, subject, clock):
        planted = sessions.start({})
        clock.advance(seconds=60)
        after = sessions.rotate(planted, {}, subject=subject, proven=True)
        assert after.life.expires_ms == clock.now_ms() + ABSOLUTE * 1000

    def test_a_new_id_without_proof_does_not_lengthen_the_life(self, sessions, subject, clock):
        begun = sessions.start({}, subject=subject)
        clock.advance(seconds=60)
        after = sessions.rotate(begun, {}, subject=subject, proven=False)
        assert after.life == begun.life

    def test_a_new_id_does_not_bring_back_what_was_ended(self, sessions, subject):
        begun = sessions.start({}, subject=subject)
        sessions.end(begun.id)
        with pytest.raises(SessionEnded):
            sessions.rotate(begun, {}, subject=subject, proven=False)
        assert list(sessions.table.of_partition(begun.id.key.pk)) == []

    @pytest.mark.parametrize("lived", [IDLE, ABSOLUTE])
    def test_a_new_id_does_not_bring_back_what_has_expired(self, sessions, subject, clock, item, lived):
        """Read while it lived, by a request that took long."""
        begun = sessions.start({}, subject=subject)
        clock.advance(seconds=lived)
        for user in (subject, subject + "2", None):
            with pytest.raises(SessionEnded):
                sessions.rotate(begun, {}, subject=user, proven=False)
        assert item(begun), "and nothing is written"
        assert people.list_all(sessions, subject) == people.list_all(sessions, subject + "2") == ()

    def test_both_lives_are_in_the_condition_of_a_new_id(self, sessions, subject, clock, item, overwrite):
        for name, lived in (("ix", ABSOLUTE), ("ax", IDLE)):
            begun = sessions.start({}, subject=subject)
            clock.advance(seconds=lived)
            # Somebody with the right to write, and no key, lengthened the other life.
            overwrite(item(begun) | {name: {"N": str(clock.now_ms() + 10**6)}})
            with pytest.raises(SessionEnded):
                sessions.rotate(begun, {}, subject=subject, proven=False)

    def test_use_since_it_was_read_counts_for_a_new_id(self, sessions, subject, clock):
        begun = sessions.start({}, subject=subject)
        clock.advance(seconds=IDLE / 2)
        sessions.save(begun, {})
        clock.advance(seconds=IDLE / 2)
        assert sessions.open(sessions.rotate(begun, {}, subject=subject, proven=False).id.cookie)

    def test_no_rotation_without_proof_lengthens_the_absolute_life(self, sessions, subject, clock):
        """Not even one that changes the user back and forth."""
        begun = current = sessions.start({}, subject=subject)
        for number in range(ABSOLUTE // IDLE * 2 - 1):
            clock.advance(seconds=IDLE / 2)
            current = sessions.rotate(current, {}, subject=f"{subject}{number % 2}", proven=False)
            assert current.life.expires_ms == begun.life.expires_ms
        assert sessions.open(current.id.cookie)
        clock.advance(seconds=IDLE / 2)
        assert sessions.open(current.id.cookie) is None

    def test_of_many_who_give_a_new_id_at_once_one_succeeds(self, sessions, subject):
        begun = sessions.start({}, subject=subject)
        start = threading.Barrier(6)

        def rotate(_):
            start.wait()
            try:
                return sessions.rotate(begun, {}, subject=subject, proven=False)
            except SessionEnded:
                return None

        with ThreadPoolExecutor(6) as pool:
            (winner,) = filter(None, pool.map(rotate, range(6)))
        assert [one.handle for one in people.list_all(sessions, subject)] == [people.handle_of(winner)]

    def test_a_new_id_that_is_taken_is_never_written_over(self, sessions, subject):
        fixed = replace(sessions, random=lambda count: bytes([6]) * count)
        other = fixed.start({"whose": "other"}, subject=subject)
        mine = sessions.start({"whose": "mine"}, subject=subject)
        with pytest.raises(SessionConflict):
            fixed.rotate(mine, {"whose": "mine"}, subject=subject, proven=False)
        assert [sessions.open(one.id.cookie).data["whose"] for one in (other, mine)] == ["other", "mine"]

    def test_where_the_old_one_cannot_be_ended_the_new_ones_id_is_told_to_nobody(self, sessions, subject, table):
        planted = sessions.start({})
        table.before["delete"] = lambda: (_ for _ in ()).throw(ConnectionError)
        with pytest.raises(ConnectionError):
            sessions.rotate(planted, {}, subject=subject, proven=True)


class TestSeal:
    def test_a_payload_of_another_session_does_not_open(self, sessions, subject, item, overwrite, caplog):
        mine = sessions.start({"role": "user"}, subject=subject)
        admins = sessions.start({"role": "admin"}, subject="admin")
        overwrite(item(mine) | {"p": item(admins)["p"]})
        assert sessions.open(mine.id.cookie) is None
        assert "cannot be opened" in caplog.text

    def test_a_payload_of_the_same_user_does_not_open_in_another_session_either(
        self, sessions, subject, item, overwrite
    ):
        one, other = sessions.start({}, subject=subject), sessions.start({"elevated": True}, subject=subject)
        overwrite(item(one) | {"p": item(other)["p"]})
        assert sessions.open(one.id.cookie) is None

    @pytest.mark.parametrize("name", ["ax", "cr", "ep"])
    def test_what_was_fixed_at_the_beginning_cannot_be_changed(self, sessions, item, overwrite, name):
        begun = sessions.start({})
        overwrite(item(begun) | {name: {"N": str(int(item(begun)[name]["N"]) + 1)}})
        assert sessions.open(begun.id.cookie) is None

    @pytest.mark.parametrize("place", [0, 1, 2, 14, -1])
    def test_each_changed_byte_is_refused(self, sessions, item, overwrite, place):
        begun = sessions.start({})
        payload = bytearray(item(begun)["p"]["B"])
        payload[place] ^= 1
        overwrite(item(begun) | {"p": {"B": bytes(payload)}})
        assert sessions.open(begun.id.cookie) is None

    @pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\x07" + bytes(12)])
    def test_a_payload_that_is_cut_off_is_refused(self, sessions, item, overwrite, payload):
        begun = sessions.start({})
        overwrite(item(begun) | {"p": {"B": payload or b"\x00"}})
        assert sessions.open(begun.id.cookie) is None

    def test_saving_over_a_payload_that_cannot_be_opened_is_refused(self, sessions, item, overwrite):
        begun = sessions.start({})
        overwrite(item(begun) | {"p": {"B": b"forged"}, "v": {"N": "2"}})
        with pytest.raises(SessionEnded):
            sessions.save(begun, {})


class TestData:
    def test_too_much_of_it_is_refused_with_both_numbers(self, sessions):
        begun = sessions.start({"kept": 1})
        with pytest.raises(SessionTooLarge, match=r"takes \d+ bytes, and the limit is 4096"):
            sessions.save(begun, {"big": "x" * 5000})
        assert sessions.open(begun.id.cookie).data == {"kept": 1}

    @pytest.mark.parametrize("value", [object(), b"bytes", float("nan"), {1, 2}, "\ud800", {"deep": {"x": object}}])
    def test_what_json_cannot_hold_is_refused_and_not_quoted(self, sessions, value):
        with pytest.raises(SessionNotJson) as refused:
            sessions.start({"name": value})
        assert repr(value) not in str(refused.value)
        assert refused.value.__suppress_context__

    def test_what_a_request_does_to_the_data_does_not_change_the_session_it_read(self, sessions):
        begun = sessions.start({"list": [1]})
        begun.data["list"].append(2)
        assert begun.data == {"list": [1]}


def test_an_id_that_is_taken_is_never_written_over(sessions, subject):
    """The chance of it is that of a broken source of chance; then nobody gets somebody else's session."""
    fixed = replace(sessions, random=lambda count: bytes([5]) * count)
    first = fixed.start({"whose": "first"}, subject=subject)
    with pytest.raises(SessionConflict):
        fixed.start({"whose": "second"}, subject=subject)
    assert sessions.open(first.id.cookie).data == {"whose": "first"}
