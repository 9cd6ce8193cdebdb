from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens.model import (
    MAX_PUBLISHED,
    Algorithm,
    KeyLife,
    NextKey,
    Phase,
    next_key_due,
    phase,
    published,
    signing_key,
    superseded_ms,
)
from tests.unit.tokens.conftest import DAY_MS, HOUR_MS, LIFE, NOW_MS, make_record

ES256, EDDSA = Algorithm.ES256, Algorithm.EDDSA
FIRST = make_record(1, NOW_MS)
SECOND = make_record(2, NOW_MS + 30 * DAY_MS)
BOTH = (FIRST, SECOND)
HANDOVER_MS = SECOND.begins_ms
GONE_MS = HANDOVER_MS + LIFE.overlap_ms


def phase_of(record, records, now_ms, algorithm=ES256):
    return phase(record, records, life=LIFE, algorithm=algorithm, now_ms=now_ms)


def due(records, now_ms, algorithm=ES256):
    return next_key_due(records, algorithm, life=LIFE, now_ms=now_ms)


def shown(records, now_ms, algorithm=ES256):
    return published(tuple(records), life=LIFE, algorithm=algorithm, now_ms=now_ms)


@pytest.mark.parametrize(
    ("record", "now_ms", "expected"),
    [
        (FIRST, NOW_MS - 1, Phase.PENDING),
        (FIRST, NOW_MS, Phase.ACTIVE),
        (FIRST, HANDOVER_MS - 1, Phase.ACTIVE),
        (FIRST, HANDOVER_MS, Phase.RETIRED),
        (FIRST, GONE_MS - 1, Phase.RETIRED),
        (FIRST, GONE_MS, Phase.GONE),
        (SECOND, HANDOVER_MS - 1, Phase.PENDING),
        (SECOND, HANDOVER_MS, Phase.ACTIVE),
        (SECOND, GONE_MS + 1000 * DAY_MS, Phase.ACTIVE),
        (replace(FIRST, bad=True), NOW_MS, Phase.BAD),
        (replace(FIRST, bad=True), NOW_MS - 1, Phase.BAD),
        (replace(FIRST, bad=True), GONE_MS, Phase.BAD),
    ],
)
def test_each_phase_of_a_key_to_the_millisecond(record, now_ms, expected):
    assert phase_of(record, BOTH, now_ms) is expected


def test_a_key_whose_follower_is_bad_goes_on_signing():
    records = (FIRST, replace(SECOND, bad=True))
    assert phase_of(FIRST, records, GONE_MS) is Phase.ACTIVE
    assert signing_key(records, ES256, now_ms=GONE_MS) is FIRST


def test_of_two_that_begin_at_once_the_later_slot_signs():
    twins = (make_record(1, NOW_MS), make_record(2, NOW_MS))
    assert signing_key(twins, ES256, now_ms=NOW_MS).slot == 2
    assert superseded_ms(twins[0], twins, ES256) == NOW_MS
    assert superseded_ms(twins[1], twins, ES256) is None


def test_a_key_of_another_algorithm_never_signs():
    assert signing_key((make_record(1, NOW_MS, algorithm=EDDSA),), ES256, now_ms=NOW_MS) is None


def test_after_a_change_of_algorithm_the_old_keys_end_with_the_first_good_new_one():
    new = make_record(1, NOW_MS + DAY_MS, algorithm=EDDSA, kid="new")
    records = (FIRST, new)
    assert phase_of(FIRST, records, NOW_MS + DAY_MS - 1, EDDSA) is Phase.ACTIVE
    assert phase_of(FIRST, records, NOW_MS + DAY_MS, EDDSA) is Phase.RETIRED
    assert phase_of(FIRST, records, NOW_MS + DAY_MS + LIFE.overlap_ms, EDDSA) is Phase.GONE
    assert phase_of(FIRST, (FIRST, replace(new, bad=True)), NOW_MS + 99 * DAY_MS, EDDSA) is Phase.ACTIVE


def test_pending_active_and_retired_keys_are_published_and_bad_and_gone_ones_are_not():
    bad = make_record(3, NOW_MS, bad=True)
    assert shown([*BOTH, bad], NOW_MS) == BOTH
    assert shown([*BOTH, bad], HANDOVER_MS) == BOTH
    assert shown([*BOTH, bad], GONE_MS) == (SECOND,)


def test_more_keys_than_a_verifier_takes_are_cut_to_the_newest():
    many = [make_record(slot, NOW_MS + slot) for slot in range(1, MAX_PUBLISHED + 3)]
    kept = shown(many, NOW_MS)
    assert [record.slot for record in kept] == list(range(3, MAX_PUBLISHED + 3))


@pytest.mark.parametrize(
    ("records", "now_ms", "expected"),
    [
        ((), NOW_MS, NextKey(slot=1, begins_ms=NOW_MS)),
        ((FIRST,), NOW_MS, None),
        ((FIRST,), HANDOVER_MS - DAY_MS - 1, None),
        ((FIRST,), HANDOVER_MS - DAY_MS, NextKey(slot=2, begins_ms=HANDOVER_MS)),
        ((FIRST,), HANDOVER_MS - HOUR_MS, NextKey(slot=2, begins_ms=HANDOVER_MS - HOUR_MS + DAY_MS)),
        ((FIRST,), HANDOVER_MS + 100 * DAY_MS, NextKey(slot=2, begins_ms=HANDOVER_MS + 101 * DAY_MS)),
        (BOTH, HANDOVER_MS - DAY_MS, None),
        (BOTH, HANDOVER_MS + 29 * DAY_MS, NextKey(slot=3, begins_ms=HANDOVER_MS + 30 * DAY_MS)),
        ((replace(FIRST, bad=True),), NOW_MS, NextKey(slot=2, begins_ms=NOW_MS)),
        ((replace(FIRST, bad=True), SECOND), NOW_MS, NextKey(slot=3, begins_ms=NOW_MS)),
        ((FIRST, replace(SECOND, bad=True)), HANDOVER_MS, NextKey(slot=3, begins_ms=HANDOVER_MS + DAY_MS)),
        ((make_record(7, NOW_MS, algorithm=EDDSA),), NOW_MS, NextKey(slot=1, begins_ms=NOW_MS)),
    ],
)
def test_which_key_is_due(records, now_ms, expected):
    assert due(records, now_ms) == expected


def test_a_key_of_a_clock_far_ahead_is_waited_for_by_nobody():
    astray = make_record(2, NOW_MS + 1000 * DAY_MS)
    assert due((astray,), NOW_MS) == NextKey(slot=3, begins_ms=NOW_MS)
    assert due((FIRST, astray), HANDOVER_MS - DAY_MS) == NextKey(slot=3, begins_ms=HANDOVER_MS)


LIVES = st.builds(
    lambda ahead, more, overlap: KeyLife(rotation_ms=ahead + more, publish_ahead_ms=ahead, overlap_ms=overlap),
    st.integers(0, 10_000),
    st.integers(1, 50_000),
    st.integers(0, 20_000),
)
STEPS = st.lists(st.integers(0, 120_000), min_size=1, max_size=25)


@given(LIVES, STEPS)
def test_however_often_and_late_somebody_looks_there_is_one_signer_published_ahead_and_kept_long_enough(life, steps):
    records, now_ms, signed_until = (), NOW_MS, {}
    for step_ms in steps:
        now_ms += step_ms
        for _ in range(3):
            key = next_key_due(records, ES256, life=life, now_ms=now_ms)
            if key is None:
                break
            first = signing_key(records, ES256, now_ms=now_ms) is None
            assert key.begins_ms == now_ms if first else key.begins_ms >= now_ms + life.publish_ahead_ms
            records = (*records, make_record(key.slot, key.begins_ms, created_ms=now_ms))
        assert next_key_due(records, ES256, life=life, now_ms=now_ms) is None or life.rotation_ms < 1
        signer = signing_key(records, ES256, now_ms=now_ms)
        signed_until[signer.kid] = now_ms
        phases = [phase(r, records, life=life, algorithm=ES256, now_ms=now_ms) for r in records]
        assert phases.count(Phase.ACTIVE) == 1
        visible = {r.kid for r in published(records, life=life, algorithm=ES256, now_ms=now_ms)}
        needed = {kid for kid, last_ms in signed_until.items() if now_ms < last_ms + life.overlap_ms}
        assert needed | {signer.kid} <= visible
    assert [record.slot for record in records] == list(range(1, len(records) + 1))


RECORDS = st.lists(st.tuples(st.integers(-100, 100), st.booleans(), st.sampled_from(Algorithm)), max_size=8).map(
    lambda rows: tuple(
        make_record(slot, NOW_MS + begins * HOUR_MS, bad=bad, algorithm=algorithm, kid=f"{algorithm}-{slot}")
        for slot, (begins, bad, algorithm) in enumerate(rows, start=1)
    )
)


@given(RECORDS, st.integers(-200, 200), st.sampled_from(Algorithm))
def test_whatever_is_stored_the_signer_is_good_begun_published_and_otherwise_a_key_is_due(records, hours, algorithm):
    now_ms = NOW_MS + hours * HOUR_MS
    signer = signing_key(records, algorithm, now_ms=now_ms)
    if signer is None:
        assert due(records, now_ms, algorithm).begins_ms == now_ms
    else:
        assert not signer.bad
        assert signer.begins_ms <= now_ms
        assert phase_of(signer, records, now_ms, algorithm) is Phase.ACTIVE
        assert signer in shown(records, now_ms, algorithm)
    assert not [record for record in shown(records, now_ms, algorithm) if record.bad]
