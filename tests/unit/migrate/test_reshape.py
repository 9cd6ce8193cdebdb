from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.migrate.reshape import KeyChanged, attempt, attempt_raw, reshape
from service.migrate.steps import StepFactory

KEYS = ("uid", "sk")
OLD = {"uid": b"u", "sk": "U", "name": "Ada", "flag": True, "gone": 1}


def step(convert, version=3):
    return StepFactory().backfill("users", version=version, convert=convert)


def test_only_what_differs_is_written_and_all_that_was_read_is_a_condition():
    def convert(item):
        del item["gone"]
        return {**item, "flag": 1, "extra": "x"}

    update = reshape(step(convert), KEYS, OLD)
    plain = {f"#{alias}": name for alias, name in ((a[1:], n) for a, n in update.names.items())}
    expression, condition = update.update, update.condition
    for alias, name in sorted(plain.items(), reverse=True):
        expression, condition = expression.replace(alias, name), condition.replace(alias, name)
    assert update.key == {"uid": b"u", "sk": "U"}
    assert expression == "SET sv = :version, extra = :new_a0, flag = :new_a1 REMOVE gone"
    assert condition == (
        "(attribute_not_exists(sv) OR sv < :version) AND attribute_not_exists(extra)"
        " AND flag = :old_a1 AND gone = :old_a2 AND name = :old_a3"
    )
    assert update.values == {
        ":version": 3,
        ":old_a1": True,
        ":old_a2": 1,
        ":old_a3": "Ada",
        ":new_a0": "x",
        ":new_a1": 1,
    }


@pytest.mark.parametrize("version", [3, 4])
def test_an_item_of_this_version_or_a_later_one_is_left_alone(version):
    assert reshape(step(dict), KEYS, {**OLD, "sv": version}) is None


def test_an_older_item_is_brought_forward():
    assert reshape(step(dict), KEYS, {**OLD, "sv": 2}).update == "SET #a3 = :version"


def test_an_item_for_which_the_function_answers_none_is_left_alone():
    assert reshape(step(lambda _item: None), KEYS, OLD) is None


def test_the_function_cannot_change_the_item_that_the_condition_is_made_of():
    def convert(item):
        item["name"] = "Eve"
        return item

    assert "Ada" in reshape(step(convert), KEYS, OLD).values.values()


@pytest.mark.parametrize("answer", [{"uid": b"v", "sk": "U"}, {"uid": b"u"}, {"uid": "u", "sk": "U"}])
def test_a_changed_key_is_refused(answer):
    with pytest.raises(KeyChanged):
        reshape(step(lambda _item: answer), KEYS, OLD)


def test_a_function_that_fails_gives_a_reason_without_the_items_data():
    def convert(item):
        raise ValueError(item["name"])

    reason = attempt(step(convert), KEYS, OLD)
    assert reason.startswith("ValueError at test_reshape.py:")
    assert "Ada" not in reason


def test_a_value_that_cannot_be_stored_is_a_reason():
    assert attempt(step(lambda item: {**item, "ratio": 0.5}), KEYS, OLD).startswith("TypeError")


def test_an_item_that_cannot_be_read_is_a_reason():
    assert attempt_raw(step(dict), KEYS, {"uid": {"B": b"u"}, "x": {"NULL": True}}).startswith("TypeError")


TEXT = st.text(alphabet="ab")
VALUES = st.one_of(st.integers(), TEXT, st.booleans(), st.binary(), st.frozensets(TEXT, min_size=1))
ITEMS = st.dictionaries(st.sampled_from("abcdefgh"), VALUES)


@settings(deadline=None)
@given(old=ITEMS, new=ITEMS)
def test_every_alias_and_value_is_used_and_every_used_one_is_given(old, new):
    """DynamoDB refuses a request that defines a name or a value which no expression uses."""
    key = {"uid": b"u", "sk": "U"}
    update = reshape(step(lambda _item: {**key, **new}), KEYS, {**key, **old})
    words = set(f"{update.update} {update.condition}".translate(str.maketrans("(),", "   ")).split())
    assert {word for word in words if word.startswith("#")} == set(update.names)
    assert {word for word in words if word.startswith(":")} == set(update.values)
