from __future__ import annotations

from dataclasses import replace

import pytest

from service.migrate.declared import DeclaredTable, fold
from service.migrate.drift import ActualTable, Severity, compare_table
from service.migrate.encryption import KeyMatch, match_key
from service.migrate.errors import FolderInvalid
from service.migrate.folder import Migration
from service.migrate.outcome import AWS_OWNED
from service.migrate.plan import Record
from service.migrate.steps import StepFactory
from service.store.table_state import KeyAttribute, TableState

STEP = StepFactory()
KEYS = (KeyAttribute("uid", "B"), KeyAttribute("sk", "S"))
ARN = "arn:aws:kms:eu-west-1:1:key/abc"
STATE = TableState(
    keys=KEYS,
    billing="PAY_PER_REQUEST",
    protected=True,
    kms_key=ARN,
    indexes=frozenset(),
    item_count=0,
    settled=True,
)
ACTUAL = ActualTable(state=STATE, ttl_attribute="ttl", pitr=True)
DECLARED = DeclaredTable(keys=KEYS, protected=True, ttl_attribute="ttl", pitr=True, customer_key=True, encryption="abc")


def findings(declared=DECLARED, actual=ACTUAL, *, kms_key_id=None, embedded=False):
    found = compare_table("users", declared, actual, kms_key_id=kms_key_id, embedded=embedded)
    return [f"{finding.severity}: {finding}" for finding in found]


def test_a_table_as_declared_has_no_findings():
    assert findings() == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"keys": KEYS[:1]}, "drift: users: keys is uid B, declared is uid B, sk S"),
        (
            {"keys": (KeyAttribute("uid", "S"), KEYS[1])},
            "drift: users: keys is uid S, sk S, declared is uid B, sk S",
        ),
        ({"billing": "PROVISIONED"}, "drift: users: billing is PROVISIONED, declared is PAY_PER_REQUEST"),
        ({"protected": False}, "drift: users: deletion protection is off, declared is on"),
        ({"indexes": frozenset({"b", "a"})}, "drift: users: indexes is a, b, declared is none"),
        ({"kms_key": None}, "drift: users: encryption is aws-owned, declared is abc"),
        ({"kms_key": ARN + "d"}, f"drift: users: encryption is {ARN}d, declared is abc"),
    ],
)
def test_a_table_that_was_changed_by_hand_is_drift(change, finding):
    assert findings(actual=replace(ACTUAL, state=replace(STATE, **change))) == [finding]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"ttl_attribute": None}, "drift: users: expiry is off, declared is ttl"),
        ({"ttl_attribute": "other"}, "drift: users: expiry is other, declared is ttl"),
        ({"pitr": False}, "drift: users: point-in-time recovery is off, declared is on"),
        (
            {"pitr": None, "pitr_reason": "no such thing here"},
            "skipped: users: point-in-time recovery not checked: no such thing here",
        ),
    ],
)
def test_expiry_and_recovery_are_compared(change, finding):
    assert findings(actual=replace(ACTUAL, **change)) == [finding]


def test_a_missing_table_is_one_finding():
    assert findings(actual=None) == ["drift: users: table is missing, declared is present"]


def test_a_key_nobody_declared_is_drift():
    declared = replace(DECLARED, customer_key=False, encryption=None)
    assert findings(declared) == [f"drift: users: encryption is {ARN}, declared is aws-owned"]


def test_where_no_key_was_configured_awss_own_is_as_declared():
    declared = replace(DECLARED, encryption=AWS_OWNED)
    assert findings(declared, replace(ACTUAL, state=replace(STATE, kms_key=None))) == []


def test_a_key_set_later_is_compared_with_the_table_and_not_with_the_record():
    declared = replace(DECLARED, encryption=AWS_OWNED)
    assert findings(declared, kms_key_id="abc") == []
    owned = replace(ACTUAL, state=replace(STATE, kms_key=None))
    assert findings(declared, owned, kms_key_id="abc") == ["drift: users: encryption is aws-owned, declared is abc"]


def test_an_alias_cannot_be_compared_and_that_is_said():
    (finding,) = compare_table("users", DECLARED, ACTUAL, kms_key_id="alias/keyturn", embedded=False)
    assert finding.severity is Severity.SKIPPED
    assert "names the key itself" in str(finding)


def test_encryption_that_an_embedded_engine_could_not_apply_is_skipped_there_and_drift_on_aws():
    declared = replace(DECLARED, encryption=None)
    actual = replace(ACTUAL, state=replace(STATE, kms_key=None))
    assert findings(declared, actual, embedded=True) == [
        "skipped: users: encryption not checked: the embedded engine could not apply it"
    ]
    assert findings(declared, actual) == ["drift: users: encryption is aws-owned, declared is customer key"]


@pytest.mark.parametrize(
    ("declared", "actual", "expected"),
    [
        (AWS_OWNED, None, KeyMatch.SAME),
        (AWS_OWNED, ARN, KeyMatch.DIFFERENT),
        ("abc", None, KeyMatch.DIFFERENT),
        ("abc", ARN, KeyMatch.SAME),
        (ARN, ARN, KeyMatch.SAME),
        ("bc", ARN, KeyMatch.DIFFERENT),
        ("alias/x", ARN, KeyMatch.UNKNOWN),
        ("alias/x", None, KeyMatch.DIFFERENT),
        ("arn:aws:kms:eu-west-1:1:alias/x", ARN, KeyMatch.UNKNOWN),
    ],
)
def test_keys_are_compared_by_id_and_arn(declared, actual, expected):
    assert match_key(declared, actual) is expected


def applied(*steps, encrypted_with=None):
    migration = Migration(number=1, name="0001_m", sha256="s", steps=steps)
    record = Record(
        number=1,
        name="0001_m",
        sha256="s",
        applied_at_ms=0,
        took_ms=0,
        fence=1,
        encrypted_with=encrypted_with or {},
    )
    return [(migration, record)]


def test_all_steps_are_folded_into_one_declaration():
    create = STEP.create_table("users", hash_key=("uid", "B"), range_key=("sk", "S"))
    rest = (STEP.enable_ttl("users"), STEP.enable_pitr("users"), STEP.protect("users"), STEP.encrypt("users"))
    backfill = STEP.backfill("users", version=1, convert=dict)
    assert fold(applied(create, *rest, backfill, encrypted_with={"users": "abc"})) == {"users": DECLARED}


def test_a_table_created_with_everything_is_folded_the_same_way():
    create = STEP.create_table("users", hash_key=("uid", "B"), protected=True, customer_key=True)
    (table,) = fold(applied(create, encrypted_with={"users": AWS_OWNED})).values()
    assert (table.protected, table.customer_key, table.encryption) == (True, True, AWS_OWNED)


def test_a_step_on_a_table_that_nothing_creates_is_refused():
    with pytest.raises(FolderInvalid, match="no migration creates users"):
        fold(applied(STEP.protect("users")))
