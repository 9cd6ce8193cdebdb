"""What docs/cost.md says that a process reads by the clock, counted: no step of the other tests has it in its price."""

from __future__ import annotations

from service.accounts.forgot_password import ForgotPassword
from service.mail.outbox import POLL_SECONDS
from service.tokens.keyring import REFRESH_SECONDS, KeyRing
from tests.docs.costs.page import LOOKS_FOR_LETTERS, READS_KEYS, counts_right


@counts_right
async def test_one_reading_of_the_keys_costs_what_the_document_says(client, consumed):
    ring = client.app.state.services.get(KeyRing)
    # The first one makes the first key, or ends what the start has begun.
    await ring.refresh()
    consumed()
    await ring.refresh()
    assert consumed() == {("query", "keys"): READS_KEYS.units}


@counts_right
async def test_one_look_for_left_letters_costs_what_the_document_says(client, consumed):
    await client.app.state.services.get(KeyRing).refresh()
    consumed()
    assert await client.app.state.services.get(ForgotPassword).outbox.sweep() == 0
    assert consumed() == {("query", "outbox"): LOOKS_FOR_LETTERS.units}


def test_both_are_done_as_often_as_the_document_says():
    assert (READS_KEYS.seconds, LOOKS_FOR_LETTERS.seconds) == (REFRESH_SECONDS, POLL_SECONDS)
