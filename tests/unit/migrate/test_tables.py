from __future__ import annotations

import pytest

from service.migrate.errors import StepFailed
from service.migrate.outcome import AWS_OWNED, Outcome
from service.migrate.steps import StepFactory
from service.migrate.tables import TableSteps
from service.store.control import ControlRefused

STEP = StepFactory()
USERS = STEP.create_table("users", hash_key=("uid", "B"), range_key=("sk", "S"), protected=True, customer_key=True)
PLAIN = STEP.create_table("users", hash_key=("uid", "B"), range_key=("sk", "S"))
ALL = [
    USERS,
    STEP.enable_ttl("users"),
    STEP.enable_pitr("users"),
    STEP.protect("users"),
    STEP.encrypt("users"),
]


@pytest.fixture
def hands(control):
    return lambda *, embedded=False, kms_key_id="key1": TableSteps(
        control=control, embedded=embedded, kms_key_id=kms_key_id
    )


async def test_on_aws_a_table_is_protected_and_encrypted_from_its_first_moment(aws, hands):
    outcome = await hands().apply(USERS)
    assert outcome == Outcome(changed=True, encrypted_with="key1")
    assert "update_table" not in aws.calls
    description = aws.tables["p-users"].description
    assert description["DeletionProtectionEnabled"] is True
    assert description["SSEDescription"]["KMSMasterKeyArn"].endswith("key/key1")


async def test_each_step_changes_once_and_a_second_run_changes_nothing(aws, hands):
    first = [(await hands().apply(step)).changed for step in (PLAIN, *ALL[1:])]
    assert first == [True] * 5
    before = len(aws.calls)
    second = [(await hands().apply(step)).changed for step in ALL]
    assert second == [False] * 5
    assert all(call.startswith("describe") for call in aws.calls[before:])


async def test_a_table_that_somebody_made_without_protection_gets_it(aws, hands):
    await hands().apply(PLAIN)
    outcome = await hands().apply(USERS)
    assert outcome == Outcome(changed=True, encrypted_with="key1")
    assert aws.tables["p-users"].description["DeletionProtectionEnabled"] is True


async def test_without_a_customer_key_the_outcome_says_so(aws, hands):
    outcome = await hands(kms_key_id=None).apply(USERS)
    assert outcome.encrypted_with == AWS_OWNED
    assert outcome.note == "no customer key is configured: encrypted with AWS's own key"
    assert "SSEDescription" not in aws.tables["p-users"].description


async def test_backups_that_are_not_ready_yet_are_waited_for(aws, hands, clock):
    await hands().apply(PLAIN)
    aws.tables["p-users"].backups_ready_after = 3
    assert (await hands().apply(STEP.enable_pitr("users"))).changed
    assert clock.now > 0.3


@pytest.mark.parametrize(
    ("operation", "step"),
    [("update_continuous_backups", STEP.enable_pitr("users")), ("update_table", STEP.encrypt("users"))],
)
async def test_what_aws_refuses_is_an_error_and_what_a_laptops_engine_lacks_a_named_skip(aws, hands, operation, step):
    await hands().apply(PLAIN)
    aws.unknown[operation] = "UnknownOperationException"
    with pytest.raises(ControlRefused):
        await hands().apply(step)
    outcome = await hands(embedded=True).apply(step)
    assert not outcome.changed
    assert outcome.skipped.startswith("users: the embedded engine has no ")
    assert outcome.skipped.endswith("(UnknownOperationException)")
    assert outcome.note == outcome.skipped


async def test_a_refusal_for_lack_of_permission_is_never_skipped(aws, hands):
    await hands().apply(PLAIN)
    aws.unknown["update_continuous_backups"] = "AccessDeniedException"
    with pytest.raises(ControlRefused, match="AccessDeniedException"):
        await hands(embedded=True).apply(STEP.enable_pitr("users"))


async def test_encryption_that_was_accepted_and_not_done_is_an_error_on_aws(aws, hands):
    await hands().apply(PLAIN)
    aws.ignores_encryption = True
    with pytest.raises(ControlRefused):
        await hands().apply(STEP.encrypt("users"))
    assert "no customer key" in (await hands(embedded=True).apply(STEP.encrypt("users"))).skipped


async def test_items_that_expire_by_another_attribute_stop_the_run(hands):
    await hands().apply(PLAIN)
    await hands().apply(STEP.enable_ttl("users", attribute="gone_at"))
    with pytest.raises(StepFailed, match="expire by gone_at"):
        await hands().apply(STEP.enable_ttl("users"))


@pytest.mark.parametrize("step", ALL[1:], ids=str)
async def test_a_step_on_a_table_that_is_not_there_names_the_table(hands, step):
    with pytest.raises(StepFailed, match="there is no table p-users"):
        await hands().apply(step)


async def test_a_table_with_other_keys_is_never_taken_for_ours(hands):
    await hands().apply(STEP.create_table("users", hash_key=("uid", "S")))
    with pytest.raises(StepFailed, match="keys uid S, billing PAY_PER_REQUEST"):
        await hands().apply(USERS)
