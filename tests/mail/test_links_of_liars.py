"""CWE-640: whatever a request says of where it was sent to, the links in the mail that it causes lead to us.

Over a real socket: an absolute URI in the request line, and some headers, never reach an application in any other way.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.support.accounts import new_name
from tests.support.live import client_of, store, workers
from tests.support.mailbox import text_of
from tests.support.people import PASSWORD, bearer, sign_in
from tests.support.wire import Wire

__all__ = ["store", "workers"]

BASE = "https://auth.example.com/id"
EVIL = "evil.example"


@dataclass(frozen=True)
class Lie:
    """What a request says of its target: the request line, and header fields in place of or beside our own Host."""

    target: str = "{path}"
    host: str | None = "auth.example.com"
    fields: tuple[tuple[str, str], ...] = ()

    def head(self, path, length, tokens):
        lines = [f"POST {self.target.format(path=path)} HTTP/1.1"]
        lines += [] if self.host is None else [f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        lines += [f"{name}: {value}" for name, value in (bearer(tokens) if tokens else {}).items()]
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
        return "\r\n".join([*lines, "", ""]).encode()


LIES = {
    "Host": Lie(host=EVIL),
    "Host with a port": Lie(host=f"auth.example.com:80@{EVIL}"),
    "absolute URI": Lie(target=f"http://{EVIL}{{path}}"),
    "absolute URI with credentials": Lie(target=f"http://auth.example.com@{EVIL}{{path}}"),
    "X-Forwarded-*": Lie(
        fields=(
            ("X-Forwarded-Host", EVIL),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", "6666"),
            ("X-Forwarded-Prefix", f"//{EVIL}"),
            ("X-Forwarded-Server", EVIL),
            ("X-Forwarded-For", f"198.51.100.7, {EVIL}"),
            ("X-Forwarded-Scheme", "http"),
            ("X-Forwarded-Path", f"//{EVIL}/"),
        )
    ),
    "Forwarded": Lie(fields=(("Forwarded", f"for=198.51.100.7;host={EVIL};proto=http"),)),
    "headers of other frameworks and proxies": Lie(
        fields=(
            ("X-Host", EVIL),
            ("X-Original-Host", EVIL),
            ("X-HTTP-Host-Override", EVIL),
            ("X-Original-URL", f"http://{EVIL}/"),
            ("X-Rewrite-URL", f"http://{EVIL}/"),
            ("X-Script-Name", f"//{EVIL}"),
            ("Base-URL", f"http://{EVIL}"),
            ("Origin", f"https://{EVIL}"),
            ("Referer", f"https://{EVIL}/"),
            ("Via", f"1.1 {EVIL}"),
            ("CF-Connecting-IP", EVIL),
            ("Accept-Language", f"{EVIL}, de"),
        )
    ),
}
TWO_HOSTS = Lie(fields=(("Host", EVIL),))
_URL = re.compile(r"""https?:[^\s"'<>]+""")


@pytest.fixture
def environ(environ):
    """The proxy's word is taken for the address, and for nothing else."""
    return {**environ, "KEYTURN_ISSUER": BASE, "KEYTURN_TRUSTED_PROXIES": "1"}


@pytest.fixture
async def worker(workers):
    return await workers.start()


@pytest.fixture
async def honest(worker):
    async with client_of(worker) as client:
        yield client


@pytest.fixture
def tell(worker):
    """Posts with a lie: ``await tell(lie, path, body, tokens)``; the status of the answer."""

    async def post(lie, path, body, tokens=None):
        payload = json.dumps(body).encode()
        wire = await Wire.open(worker.url)
        try:
            wire._writer.write(lie.head(path, len(payload), tokens) + payload)
            return (await wire.receive()).status
        finally:
            await wire.aclose()

    return post


def check(mail, path):
    """Every link of both parts leads to ``path`` of ours, and nothing else in the mail was said by the liar."""
    assert EVIL not in mail.as_string()
    found = []
    for part in (text_of(mail), mail.get_body(("html",)).get_content()):
        links = _URL.findall(part)
        assert links
        for link in links:
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc) == ("https", "auth.example.com"), link
            assert parts.path == f"/id{path}", link
        found += links
    assert any("?token=" in link for link in found)


async def test_host_header_poisoning_every_mailed_link_is_built_from_the_configured_address(
    tell, honest, mailbox, subtests
):
    for name, lie in LIES.items():
        email, new = (f"{new_name()}@example.com" for _ in range(2))
        with subtests.test(name):
            assert await tell(lie, "/v1/register", {"email": email, "password": PASSWORD}) == 202
            check(await mailbox.wait(email), "/email/verify")
            assert await tell(lie, "/v1/email/resend", {"email": email}) == 202
            check(await mailbox.wait(email, count=2), "/email/verify")
            token = await mailbox.token(email, count=2)
            assert (await honest.post("/v1/email/verify", json={"token": token})).status_code == 204

            assert await tell(lie, "/v1/password/forgot", {"email": email}) == 202
            check(await mailbox.wait(email, count=3), "/password/reset")
            tokens = await sign_in(honest, email)
            assert await tell(lie, "/v1/email/change", {"new_email": new, "password": PASSWORD}, tokens) == 202
            check(await mailbox.wait(new), "/email/change")


async def test_a_request_that_names_two_hosts_is_refused(tell, mailbox):
    """RFC 9112 section 3.2: which of the two a proxy before us has believed, nobody can tell."""
    assert await tell(TWO_HOSTS, "/v1/register", {"email": "ada@example.com", "password": PASSWORD}) == 400
    assert mailbox.all() == []
