from __future__ import annotations

import html.parser

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from service.cli.dev_mail import dev_mail_router, linkify
from service.errors import NotFound
from service.mail.compose import compose
from service.mail.maildir import MaildirSender, file_name
from service.mail.message import RenderedMail

LINK = "https://a.example/email/verify?token=" + "t" * 43
JSON = {"accept": "application/json"}


def outgoing(number=1, **changes):
    fields = {
        "message_id": f"{number:032x}",
        "to": "ann@example.com",
        "sender": "no-reply@auth.example",
        "subject": f"Mail {number}",
        "text": f"Open:\n\n{LINK}\n\n493817\n",
        "html": f'<p><a href="{LINK}">Open</a></p>\n',
    }
    return compose(RenderedMail(**(fields | changes)), sent_ms=1_800_000_000_000 + number)


@pytest.fixture
async def client(tmp_path):
    app = FastAPI()
    app.include_router(dev_mail_router(tmp_path))
    app.add_exception_handler(NotFound, lambda request, error: JSONResponse({}, status_code=error.status))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def keep(tmp_path):
    return MaildirSender(folder=tmp_path).send


async def test_without_mails_the_page_says_so(client):
    page = await client.get("/dev/mail")
    assert page.status_code == 200
    assert "No mail has been sent yet" in page.text
    assert (await client.get("/dev/mail", headers=JSON)).json() == {"mails": []}


async def test_mails_are_listed_newest_first(client, keep):
    for number in (1, 2, 3):
        await keep(outgoing(number))
    page = (await client.get("/dev/mail")).text
    assert page.index("Mail 3") < page.index("Mail 2") < page.index("Mail 1")
    mails = (await client.get("/dev/mail", headers=JSON)).json()["mails"]
    assert [mail["subject"] for mail in mails] == ["Mail 3", "Mail 2", "Mail 1"]
    assert set(mails[0]) == {"name", "date", "to", "subject"}


async def test_a_mail_is_shown_with_clickable_links_and_its_html_in_a_sandbox(client, keep):
    await keep(outgoing())
    page = await client.get(f"/dev/mail/{file_name(outgoing())}")
    assert f'<a href="{LINK}" rel="noopener noreferrer">{LINK}</a>' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert 'srcdoc="&lt;p&gt;&lt;a href=&#34;' in page.text


async def test_a_mail_as_json_has_its_text_its_html_and_its_links(client, keep):
    await keep(outgoing())
    mail = (await client.get(f"/dev/mail/{file_name(outgoing())}", headers=JSON)).json()
    assert mail["links"] == [LINK]
    assert "493817" in mail["text"].splitlines()
    assert mail["to"] == "ann@example.com"


async def test_a_browser_that_takes_json_too_gets_the_page(client):
    page = await client.get("/dev/mail", headers={"accept": "text/html,application/json;q=0.9"})
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["absent", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "..%5c..", "new", "%00"])
async def test_attack_path_traversal_through_the_name_is_not_found(client, keep, name):
    await keep(outgoing())
    for headers in ({}, JSON):
        assert (await client.get(f"/dev/mail/{name}", headers=headers)).status_code == 404


async def test_attack_markup_in_a_mail_is_shown_and_not_run(client, keep):
    evil = '"></iframe><script>alert(1)</script>'
    mail = outgoing(subject=evil, sender_name="", text=f"{evil}\nhttps://a.example/{evil}\n", html=evil)
    await keep(mail)

    class Tags(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)

    tags = []
    for path in ("/dev/mail", f"/dev/mail/{file_name(mail)}"):
        Tags().feed((await client.get(path)).text)
    assert "script" not in tags
    assert tags.count("iframe") == 1


async def test_the_pages_may_not_load_run_or_be_kept(client):
    headers = (await client.get("/dev/mail")).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_name_with_signs_of_its_own_can_be_followed(client, keep, tmp_path):
    await keep(outgoing(subject=""))
    [file] = (tmp_path / "new").iterdir()
    file.rename(tmp_path / "cur" / "a b?c#d%:2,S")
    page = await client.get("/dev/mail")
    assert 'href="/dev/mail/a%20b%3Fc%23d%25%3A2%2CS">(no subject)</a>' in page.text
    assert (await client.get("/dev/mail/a%20b%3Fc%23d%25%3A2%2CS")).status_code == 200


def test_only_http_links_become_links():
    assert linkify("javascript:alert(1) <b>") == "javascript:alert(1) &lt;b&gt;"
    assert linkify("see http://a.example/?a=1&b=2 there") == (
        'see <a href="http://a.example/?a=1&amp;b=2" rel="noopener noreferrer">http://a.example/?a=1&amp;b=2</a> there'
    )


def test_the_routes_stay_out_of_the_published_api(tmp_path):
    app = FastAPI()
    app.include_router(dev_mail_router(tmp_path))
    assert app.openapi()["paths"] == {}
