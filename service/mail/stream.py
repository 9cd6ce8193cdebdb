"""The outbox driven by its table's stream, as AWS Lambda hands its records over; nothing in here is of AWS Lambda.

A letter's first try is its INSERT record. What a relay put off is tried again by a sweep, on a schedule. Both claim a
letter as every process does, by a conditional write: a record that comes twice, or to two at once, is sent once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service.errors import Unavailable
from service.mail.outbox_repo import from_item
from service.store.codec import decode_item

if TYPE_CHECKING:
    from service.mail.outbox import Outbox
    from service.mail.outbox_repo import Letter

_log = logging.getLogger(__name__)

StreamEvent = Mapping[str, Any]
"""``{"Records": [{"eventName": …, "dynamodb": {"NewImage": …, "SequenceNumber": …}}]}``."""


async def take_records(outbox: Outbox, event: StreamEvent) -> dict[str, Any]:
    """Claim and send the letters that ``event`` tells of.

    Answers in the form of ``ReportBatchItemFailures``: the records that the store kept us from claiming shall be handed
    over again. A relay that is away is no such failure, for then the letter has been put off; nor is a record that
    cannot be understood, which would be handed over until it expires, and all behind it would wait.
    """
    records = event["Records"]
    outcomes = await asyncio.gather(*(_take(outbox, record) for record in records), return_exceptions=True)
    numbers = [_again(record, outcome) for record, outcome in zip(records, outcomes, strict=True)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers if number is not None]}


def _again(record: Mapping[str, Any], outcome: str | BaseException | None) -> str | None:
    """The number of a record that shall come again; one's error that nobody foresaw is not the end of the others."""
    if not isinstance(outcome, BaseException):
        return outcome
    # The type alone: its text may quote the mail.
    _log.error("mail failed", extra={"mail_problem": type(outcome).__name__})
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


async def _take(outbox: Outbox, record: Mapping[str, Any]) -> str | None:
    """The sequence number of a record that shall come again."""
    letter = _letter(record)
    if letter is None:
        return None
    try:
        await outbox.take(letter)
    except Unavailable as error:
        _log.warning(
            "letter not taken", extra={"mail_id": letter.place.message_id, "mail_problem": error.detail_for_log}
        )
        number: str = record["dynamodb"]["SequenceNumber"]
        return number
    return None


def _letter(record: Mapping[str, Any]) -> Letter | None:
    if record.get("eventName") != "INSERT":
        # A claim, a delay, a letter that has left: of our own making.
        return None
    try:
        image = {name: _attribute(value) for name, value in record["dynamodb"]["NewImage"].items()}
        return from_item(decode_item(image))
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
        # Without the record: it holds a letter, if a sealed one. The sweep finds the letter.
        _log.error("stream record not understood", extra={"mail_problem": type(error).__name__})
        return None


def _attribute(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An attribute value as the SDK has it: a stream's JSON has its bytes in base64."""
    return {"B": base64.b64decode(value["B"], validate=True)} if "B" in value else value
