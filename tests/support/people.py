"""What a person does with the service, in few words."""

from __future__ import annotations

from service.throttle.device_headers import DEVICE_HEADER

PASSWORD = "correct horse battery staple"


async def register(client, email, *, password=PASSWORD, username=None):
    body = {"email": email, "password": password}
    if username is not None:
        body["username"] = username
    return await client.post("/v1/register", json=body)


async def sign_up(client, mailbox, email="ada@example.com", *, password=PASSWORD, username=None):
    """Register and confirm."""
    answer = await register(client, email, password=password, username=username)
    assert answer.status_code in {201, 202}, answer.text
    answer = await client.post("/v1/email/verify", json={"token": await mailbox.token(email)})
    assert answer.status_code == 204, answer.text


async def sign_in(client, identifier="ada@example.com", *, password=PASSWORD, **fields):
    """The tokens of a new session. ``client`` is one device, that its owner need be told of once."""
    devices = client.__dict__.setdefault("known_devices", {})
    headers = {DEVICE_HEADER: devices[identifier]} if identifier in devices else {}
    body = {"identifier": identifier, "password": password, **fields}
    answer = await client.post("/v1/login", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    devices[identifier] = answer.headers.get(DEVICE_HEADER, "")
    return answer.json()


async def refresh(client, refresh_token):
    return await client.post("/v1/refresh", json={"refresh_token": refresh_token})


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}
