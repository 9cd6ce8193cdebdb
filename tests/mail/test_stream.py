"""Mail where a stream of the outbox's table sends it: records as AWS Lambda hands them over, on the real engine."""

from __future__ import annotations

import asyncio
import base64
import json
import logging

import pytest

from service.mail.outbox import CLAIM_SECONDS
from service.mail.ports import MailUnavailable
from service.mail.stream import take_records
from service.outbox_worker import handle, handler
from service.settings import load
from service.store.errors import StoreUnavailable
from service.store.table import Table
from tests.support.live import items_of
from tests.support.outbox import make_outbox, message
from tests.support.people import PASSWORD, register


def record(item, *, number="1", kind="INSERT"):
    """A record of the stream: the item as JSON carries it, its bytes in base64."""
    image = {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }
    return {
        "eventID": f"id-{number}",
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_800_000_000,
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": image,
            "SequenceNumber": number,
            "SizeBytes": 500,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/keyturn-outbox/stream/2027-01-15T08:00:00.000",
    }


def event_of(*records):
    """As Lambda has it: read back from JSON."""
    return json.loads(json.dumps({"Records": records}))


ALL_TAKEN = {"batchItemFailures": []}


@pytest.fixture
def functions(repo, carrier, clock):
    """Two instances of the function, and what writes the letters."""
    return [make_outbox(repo, carrier, clock, seed=name, sends_itself=False) for name in ("one", "two", "writer")]


@pytest.fixture
async def announced(functions, base):
    """Writes a letter; answers its item as the stream sees it."""

    async def write(**fields):
        before = [item["sk"] for item in await items_of(base, Table.OUTBOX)]
        await functions[2].announce(message(**fields))
        (item,) = [item for item in await items_of(base, Table.OUTBOX) if item["sk"] not in before]
        return item

    return write


async def left(base):
    return await items_of(base, Table.OUTBOX)


async def test_a_new_letter_is_sent_and_removed(functions, announced, carrier, base):
    event = event_of(record(await announced()))
    assert await take_records(functions[0], event) == ALL_TAKEN
    assert [mail.to for mail in carrier.mails] == ["ada@example.com"]
    assert await left(base) == []


class Stumbles:
    """A sender with a fault of its own for one address, at once; the others it sends a little later."""

    def __init__(self):
        self.sent, self.has_stumbled = [], asyncio.Event()

    async def send(self, mail):
        if mail.to == "fault@example.com":
            self.has_stumbled.set()
            raise ValueError("nobody foresaw it")
        await self.has_stumbled.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        self.sent.append(mail.to)


async def test_a_letter_that_fails_as_nobody_foresaw_cuts_no_other_short(repo, clock, announced, base, caplog):
    sender = Stumbles()
    function = make_outbox(repo, sender, clock, seed="one", sends_itself=False)
    items = [await announced(to=to) for to in ("ada@example.com", "fault@example.com", "eve@example.com")]
    event = event_of(*(record(item, number=str(number)) for number, item in enumerate(items)))
    assert await take_records(function, event) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert sorted(sender.sent) == ["ada@example.com", "eve@example.com"]
    assert [item["sk"] for item in await left(base)] == [items[1]["sk"]]
    assert await take_records(function, event) == ALL_TAKEN, "the batch comes again and again"
    assert [line.mail_problem for line in caplog.records if line.message == "mail failed"] == ["ValueError"]
    assert "foresaw" not in caplog.text


async def test_a_record_that_comes_again_or_to_two_at_once_is_sent_once(functions, announced, carrier):
    event = event_of(record(await announced()))
    answers = await asyncio.gather(*(take_records(one, event) for one in functions for _ in range(3)))
    assert answers == [ALL_TAKEN] * 9
    assert await take_records(functions[0], event) == ALL_TAKEN
    assert len(carrier.mails) == 1


async def test_a_function_whose_clock_is_behind_the_writers_sends_all_the_same(functions, announced, carrier, clock):
    event = event_of(record(await announced()))
    clock.advance(seconds=-2)
    await take_records(functions[0], event)
    assert len(carrier.mails) == 1


async def test_a_letter_that_its_writer_sends_itself_is_left_to_it(functions, repo, carrier, clock, base):
    process = make_outbox(repo, carrier, clock, seed="process")
    await process.store(process.prepare(message()))
    (item,) = await left(base)
    assert await take_records(functions[0], event_of(record(item))) == ALL_TAKEN
    assert carrier.tries == 0


async def test_what_is_no_new_letter_is_nothing_to_do(functions, announced, carrier):
    item = await announced()
    gone = record(item, kind="REMOVE")
    del gone["dynamodb"]["NewImage"]
    assert await take_records(functions[0], event_of(record(item, kind="MODIFY"), gone)) == ALL_TAKEN
    assert carrier.tries == 0


def poisoned(item):
    """Records that nobody can make sense of."""
    without_image, no_letter, no_base64, anothers = (record(item) for _ in range(4))
    del without_image["dynamodb"]["NewImage"]
    del no_letter["dynamodb"]["NewImage"]["bx"]
    no_base64["dynamodb"]["NewImage"]["bx"] = {"B": "é"}
    anothers["dynamodb"]["NewImage"] = {"k": {"S": "x"}, "f": {"NULL": True}}
    return [without_image, no_letter, no_base64, anothers, {"eventName": "INSERT"}]


async def test_poisoned_records_are_logged_and_hold_up_no_other(functions, announced, carrier, caplog):
    bad, good = poisoned(await announced()), record(await announced(to="bob@example.com"), number="2")
    with caplog.at_level(logging.ERROR):
        assert await take_records(functions[0], event_of(*bad, good)) == ALL_TAKEN
    assert [mail.to for mail in carrier.mails] == ["bob@example.com"]
    assert caplog.messages == ["stream record not understood"] * len(bad)


async def test_a_record_that_the_store_kept_us_from_claiming_shall_come_again(
    functions, announced, carrier, monkeypatch
):
    event = event_of(record(await announced(), number="41"), record(await announced(to="bob@example.com"), number="42"))
    repo, claim = functions[0].repo, type(functions[0].repo).claim

    async def fails_for_the_first(self, letter, *, until_ms):
        if letter.place.position == event["Records"][0]["dynamodb"]["Keys"]["sk"]["S"]:
            raise StoreUnavailable("away")
        return await claim(self, letter, until_ms=until_ms)

    with monkeypatch.context() as patch:
        patch.setattr(type(repo), "claim", fails_for_the_first)
        answer = await take_records(functions[0], event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "41"}]}
    assert await take_records(functions[1], event) == ALL_TAKEN
    assert sorted(mail.to for mail in carrier.mails) == ["ada@example.com", "bob@example.com"]


async def test_what_a_relay_put_off_is_sent_by_a_sweep_and_not_by_its_record(
    functions, announced, carrier, clock, base
):
    carrier.answers = [MailUnavailable("away")]
    event = event_of(record(await announced()))
    assert await take_records(functions[0], event) == ALL_TAKEN
    assert await take_records(functions[0], event) == ALL_TAKEN
    assert (carrier.tries, len(await left(base))) == (1, 1)
    clock.advance(seconds=CLAIM_SECONDS)
    assert await functions[1].sweep() == 1
    assert len(carrier.mails) == 1


@pytest.fixture
def by_stream(environ, monkeypatch):
    """The variables of the service and of the function alike."""
    variables = {**environ, "KEYTURN_MAIL_SENDING": "stream"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load(variables)


async def test_the_function_sends_what_a_service_without_senders_has_written(base, by_stream, open_app, mailbox):
    async with open_app(by_stream) as client:
        assert (await register(client, "new@example.com")).status_code == 202
        outbox_tasks = [task for task in asyncio.all_tasks() if "Outbox" in repr(task.get_coro())]
        assert outbox_tasks == [], "neither a hand-over nor a sweep runs beside the requests"
        (item,) = await left(base)
        assert mailbox.all() == []
        assert await asyncio.to_thread(handler, event_of(record(item)), None) == ALL_TAKEN
        token = await mailbox.token("new@example.com")
        assert (await client.post("/v1/email/verify", json={"token": token})).status_code == 204
        body = {"identifier": "new@example.com", "password": PASSWORD}
        assert (await client.post("/v1/login", json=body)).status_code == 200
    assert await left(base) == []


async def test_any_other_event_such_as_a_schedules_is_a_sweep(base, by_stream, open_app, mailbox):
    async with open_app(by_stream) as client:
        await register(client, "new@example.com")
    assert await handle({"source": "aws.events"}) == {"claimed": 1}
    await mailbox.wait("new@example.com")
    assert await handle({}) == {"claimed": 0}


@pytest.fixture
def _own_templates(by_stream, tmp_path, monkeypatch):
    """Of the function alone: the service that wrote the letter has none."""
    folder = tmp_path / "ours"
    (folder / "en").mkdir(parents=True)
    (folder / "en/confirm_email.txt").write_text("Welcome to ours\n{{ link }} and {{ code }}\n")
    monkeypatch.setenv("KEYTURN_MAIL_TEMPLATES", str(folder))


@pytest.mark.usefixtures("_own_templates")
async def test_the_function_mails_from_the_templates_that_the_setting_names(base, by_stream, open_app, mailbox):
    async with open_app(by_stream) as client:
        await register(client, "new@example.com")
    (item,) = await left(base)
    assert await handle(event_of(record(item))) == ALL_TAKEN
    assert (await mailbox.wait("new@example.com"))["Subject"] == "Welcome to ours"
