from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service.cli.migrate import migrate_app
from service.cli.migrate_output import progress_listener
from service.migrate.events import BackfillMoved, StepEnded, Waiting

TABLE = """
def steps(step):
    yield step.create_table("throttle", hash_key=("k", "S"), protected=True)
"""
BACKFILL = """
def steps(step):
    yield step.backfill("throttle", version=1, convert=convert, units_per_second=1e6)


def convert(item):
    return {"k": item["k"], "count": 1 // item["count"]}
"""


@pytest.fixture
def keyturn(connect, context_for, folder, tmp_path):
    """Run a command: exit status, standard output, standard error."""

    def run(*arguments, **changes):
        @asynccontextmanager
        async def open_context():
            async with connect() as client:
                yield context_for(client, directory=tmp_path, **changes)

        result = CliRunner().invoke(migrate_app(open_context), arguments)
        return result.exit_code, result.stdout, result.stderr

    folder(TABLE)
    return run


@pytest.fixture
def engine(connect, prefix):
    """Send one request to the engine from a test that is not a coroutine."""

    def send(operation, **request):
        async def call():
            async with connect() as client:
                return await getattr(client, operation)(TableName=f"{prefix}-throttle", **request)

        return asyncio.run(call())

    return send


def test_plan_then_up_then_status_then_check(keyturn):
    assert keyturn("plan") == (0, "0001_step\n  create table throttle (k S, protected)\n", "")
    assert keyturn("status") == (1, "pending  0001_step\n", "")
    status, out, _ = keyturn("check")
    assert (status, out) == (1, "")

    status, out, _ = keyturn("up")
    assert status == 0
    first, second, third = out.splitlines()
    assert first == "0001_step: 1 step(s)"
    assert second == "  done: create table throttle (k S, protected)"
    assert third.startswith("0001_step: applied in ")

    assert keyturn("up") == (0, "nothing to do\n", "")
    assert keyturn("plan") == (0, "nothing to do\n", "")
    assert keyturn("status") == (0, "applied  0001_step\n", "")
    status, out, err = keyturn("check")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "the tables are as declared"


def test_a_file_changed_after_it_was_applied_stops_everything_in_one_line(keyturn, folder):
    keyturn("up")
    folder(TABLE + "# an afterthought\n")
    problem = "0001_step was changed after it was applied as 0001_step\n"
    assert keyturn("status") == (1, "changed  0001_step\n", f"problem: {problem}")
    for command in ("up", "plan", "check"):
        assert keyturn(command) == (1, "", f"keyturn migrate: {problem}")


def test_check_exits_with_1_on_drift(keyturn, engine):
    keyturn("up")
    engine("update_table", DeletionProtectionEnabled=False)
    status, out, err = keyturn("check")
    assert status == 1
    assert err == "drift: throttle: deletion protection is off, declared is on\n"
    assert "as declared" not in out


def test_a_backfill_is_sampled_by_plan_and_shown_by_up(keyturn, folder, engine):
    keyturn("up")
    for name, count in (("a", "1"), ("b", "0")):
        engine("put_item", Item={"k": {"S": name}, "count": {"N": count}})
    folder(TABLE, BACKFILL)
    status, out, _ = keyturn("plan", "--sample", "10")
    assert status == 0
    assert out.splitlines() == [
        "0002_step",
        "  backfill throttle to sv 1",
        "    of 2 item(s): 1 would change, 1 would be refused",
        "    1 x ZeroDivisionError at 0002_step.py:7",
    ]
    assert keyturn("plan")[1].splitlines() == ["0002_step", "  backfill throttle to sv 1"]

    status, out, err = keyturn("up")
    assert status == 1
    assert "  throttle: 2 of about " in out
    assert "left 1 item(s) as they were" in err
    assert len(err.splitlines()) == 1


def test_an_engine_that_is_away_is_one_line(context_for, tmp_path):
    class Away:
        def __getattr__(self, operation):
            async def call(**_request):
                raise ConnectionError

            return call

    @asynccontextmanager
    async def open_context():
        yield context_for(Away(), directory=tmp_path)

    result = CliRunner().invoke(migrate_app(open_context), ["status"])
    assert (result.exit_code, result.stderr) == (1, "keyturn migrate: describe_table: ConnectionError\n")


@pytest.mark.parametrize("arguments", [["down"], ["plan", "--sample", "-1"], ["up", "extra"]])
def test_a_usage_error_exits_with_2(keyturn, arguments):
    assert keyturn(*arguments)[0] == 2


def test_the_output_says_whom_it_waits_for_once_and_how_a_step_ended():
    console = Console(file=StringIO(), width=120)
    with progress_listener(console) as listener:
        for _ in range(3):
            listener(Waiting(holder="ab"))
        listener(StepEnded(migration="m", step="do it", changed=False, note="why"))
    lines = console.file.getvalue().splitlines()
    assert lines == ["waiting for another migrator (ab)", "  as it was: do it (why)"]


def test_a_terminal_gets_a_bar_with_the_time_left():
    console = Console(file=StringIO(), width=120, force_terminal=True)
    with progress_listener(console) as listener:
        for scanned in (10, 20, 60):
            listener(BackfillMoved(migration="m", table="users", scanned=scanned, changed=1, expected_items=50))
    assert "60/60" in console.file.getvalue()
