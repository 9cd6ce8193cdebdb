from __future__ import annotations

from dataclasses import dataclass, field

from service.audit.fanout import Fanout
from tests.unit.audit.conftest import make_event


@dataclass
class Part:
    error: Exception | None = None
    recorded: list = field(default_factory=list)
    kept: list = field(default_factory=list)

    def record(self, event):
        if self.error:
            raise self.error
        self.recorded.append(event)

    async def keep(self, event):
        if self.error:
            raise self.error
        self.kept.append(event)
        return True


def test_an_event_goes_to_the_log_and_to_the_table():
    log, table, event = Part(), Part(), make_event()
    Fanout(log=log, table=table).record(event)
    assert log.recorded == table.recorded == [event]


async def test_keeping_logs_once_and_keeps_once():
    log, table, event = Part(), Part(), make_event()
    assert await Fanout(log=log, table=table).keep(event)
    assert (log.recorded, table.recorded, table.kept) == ([event], [], [event])


def test_a_broken_log_stops_neither_the_answer_nor_the_table(lines):
    log, table, event = Part(OSError("disk full")), Part(), make_event()
    Fanout(log=log, table=table).record(event)
    assert table.recorded == [event]
    assert [(line["event"], line["kind"]) for line in lines] == [("audit_failed", "sign_in")]


async def test_a_broken_table_stops_neither_the_answer_nor_the_log(lines):
    log, table, event = Part(), Part(ZeroDivisionError()), make_event()
    fanout = Fanout(log=log, table=table)
    fanout.record(event)
    assert not await fanout.keep(event)
    assert log.recorded == [event, event]
    assert len(lines) == 2
