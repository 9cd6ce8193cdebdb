"""How long the mails to one address are withheld, and that its other spellings get no more of them.

What the doors answer meanwhile, and how they share a network's mails: ``tests/http/test_mail_quotas.py``.
"""

from __future__ import annotations

from service.accounts.forgot_password import ForgotPassword
from service.throttle.limits import MAIL_TO_ADDRESS
from tests.support.accounts import make_person


async def forgot(scene, email):
    scene.move()
    assert (await scene.client.post("/v1/password/forgot", json={"email": email})).status_code == 202


async def test_flooding_ten_mails_come_and_then_one_each_twelve_minutes_however_the_address_is_spelled(scene):
    person = await make_person(scene.client)
    outbox = scene.client.app.state.services.get(ForgotPassword).outbox
    for number in range(MAIL_TO_ADDRESS.burst + 3):
        await forgot(scene, person.email.upper() if number % 2 else person.email)
    await outbox.drain(10)
    assert len(scene.mailbox.all(person.email)) == MAIL_TO_ADDRESS.burst

    for wait_seconds, mails in ((MAIL_TO_ADDRESS.interval_seconds - 0.001, 0), (0.001, 1), (0, 1)):
        scene.clock.advance(seconds=wait_seconds)
        await forgot(scene, person.email)
        await outbox.drain(10)
        assert len(scene.mailbox.all(person.email)) == MAIL_TO_ADDRESS.burst + mails
