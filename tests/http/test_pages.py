"""The pages behind mailed links: looking changes nothing, the button's POST does, and people read every answer."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.accounts.reset_password import ResetPassword
from service.accounts.verify_email import VerifyEmail
from service.errors import BadRequest, PayloadTooLarge, TooManyRequests, Unavailable
from service.pages.book import Journey, Told, open_book
from service.pages.form import MAX_FORM_BYTES, parse_form, token_of_query
from service.pages.language import choose_language
from service.passwords import checker as password_checker
from service.passwords.policy import Reason
from tests.support.accounts import make_person, new_name, set_state
from tests.support.answers import is_empty, is_problem
from tests.support.people import PASSWORD, bearer, refresh, register, sign_in, sign_up

NEW_PASSWORD = "another horse battery staple"
FORM = "application/x-www-form-urlencoded"
PAGES = ["/email/verify", "/password/reset", "/email/change"]
TOKEN = "A" * 64

each_page = pytest.mark.parametrize("path", PAGES)


def is_page(answer, status, title):
    """A whole page of ours, that nobody can frame, script, cache or sniff."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "set-cookie" not in answer.headers
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert f'<html lang="{answer.headers["content-language"]}">' in answer.text
    assert "<script" not in answer.text
    assert f"<h1>{title}</h1>" in answer.text
    return True


async def look(client, path, token, **headers):
    return await client.get(path, params={"token": token}, headers=headers)


async def press(client, path, token, **fields):
    """What a browser sends for the page's form."""
    return await client.post(path, data={"token": token, **fields})


async def mailed_sign_up(client, mailbox):
    email = f"{new_name()}@example.com"
    await register(client, email)
    return email, await mailbox.token(email)


async def mailed_reset(client, mailbox, person):
    before = len(mailbox.all(person.email))
    await client.post("/v1/password/forgot", json={"email": person.email})
    return await mailbox.token(person.email, count=before + 1)


async def mailed_change(client, mailbox, tokens):
    new_email = f"{new_name()}@example.com"
    body = {"new_email": new_email, "password": PASSWORD}
    answer = await client.post("/v1/email/change", json=body, headers=bearer(tokens))
    assert answer.status_code == 202, answer.text
    return new_email, await mailbox.token(new_email)


async def test_the_button_confirms_an_address_once_and_signs_nobody_in(client, mailbox):
    email, token = await mailed_sign_up(client, mailbox)
    assert is_page(await look(client, "/email/verify", token), 200, "Confirm your e-mail address")
    assert is_page(await press(client, "/email/verify", token), 200, "Your address is confirmed")
    await sign_in(client, email)
    assert is_page(await press(client, "/email/verify", token), 400, "This link does not work")


async def test_the_field_for_a_password_hides_what_is_typed_and_lets_paste_and_password_managers_work(
    client, mailbox, ada
):
    token = await mailed_reset(client, mailbox, ada)
    for answer in (
        await look(client, "/password/reset", token),
        await press(client, "/password/reset", token, new_password="short"),
    ):
        # No script may run there (is_page), and nothing but a script can take paste away.
        assert is_page(answer, answer.status_code, "Choose a new password")
        (field,) = re.findall(r'<input[^>]*name="new_password"[^>]*>', answer.text)
        assert 'type="password"' in field
        assert 'autocomplete="new-password"' in field
        assert not re.search(r"maxlength|pattern|readonly|disabled|\son\w+=", field)


async def test_the_form_sets_a_new_password_once_and_ends_every_session(client, mailbox, ada, tokens):
    token = await mailed_reset(client, mailbox, ada)
    assert is_page(await look(client, "/password/reset", token), 200, "Choose a new password")
    answer = await press(client, "/password/reset", token, new_password=NEW_PASSWORD)
    assert is_page(answer, 200, "Your new password is set")
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    await sign_in(client, ada.email, password=NEW_PASSWORD)
    answer = await press(client, "/password/reset", token, new_password=NEW_PASSWORD)
    assert is_page(answer, 400, "This link does not work")


async def test_the_button_changes_the_address_once(client, mailbox, tokens):
    new_email, token = await mailed_change(client, mailbox, tokens)
    assert is_page(await look(client, "/email/change", token), 200, "Confirm your new e-mail address")
    assert is_page(await press(client, "/email/change", token), 200, "Your address is changed")
    await sign_in(client, new_email)
    assert is_page(await press(client, "/email/change", token), 400, "This link does not work")


async def test_mail_scanner_a_link_that_is_fetched_many_times_still_works(client, mailbox):
    email, token = await mailed_sign_up(client, mailbox)
    for method in ("GET", "HEAD", "GET"):
        answer = await client.request(method, "/email/verify", params={"token": token})
        assert answer.status_code == 200
    assert is_page(await press(client, "/email/verify", token), 200, "Your address is confirmed")
    await sign_in(client, email)


async def test_mail_scanner_no_other_method_spends_a_link(client, mailbox):
    email, token = await mailed_sign_up(client, mailbox)
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE"):
        answer = await client.request(method, "/email/verify", params={"token": token})
        assert answer.status_code in {405, 400}, method
    assert is_page(await press(client, "/email/verify", token), 200, "Your address is confirmed")
    await sign_in(client, email)


@each_page
async def test_looking_says_the_same_for_a_link_that_works_and_one_that_does_not(client, mailbox, path):
    """GET asks nobody: a page tells a scanner nothing, and costs no read."""
    _, real = await mailed_sign_up(client, mailbox)
    shown = {(await look(client, path, token)).text.replace(token, "") for token in (real, TOKEN)}
    assert len(shown) == 1


@each_page
async def test_an_unknown_link_is_told_on_a_page(client, path):
    fields = {"new_password": NEW_PASSWORD} if path == "/password/reset" else {}
    assert is_page(await press(client, path, TOKEN, **fields), 400, "This link does not work")


@each_page
@pytest.mark.parametrize(
    "query",
    [
        "",
        "token=",
        "token=short",
        f"token={TOKEN}&token={TOKEN}",
        "token=%22%3E%3Cb%3E0123456789",
        "token=" + "A" * 513,
    ],
)
async def test_a_link_that_is_not_whole_is_told_on_a_page(client, path, query):
    answer = await client.get(f"{path}?{query}")
    assert is_page(answer, 400, "This link does not work")
    assert "0123456789" not in answer.text


async def test_what_a_mail_gateway_hangs_on_a_link_does_not_break_it(client):
    answer = await client.get(f"/email/verify?utm_source=mail&token={TOKEN}&x=%FF")
    assert is_page(answer, 200, "Confirm your e-mail address")
    assert "utm_source" not in answer.text


async def test_expired_links_are_told_on_a_page(client, mailbox, ada, clock):
    _, verify = await mailed_sign_up(client, mailbox)
    reset = await mailed_reset(client, mailbox, ada)
    clock.advance(seconds=86_400)
    assert is_page(await press(client, "/email/verify", verify), 400, "This link does not work")
    answer = await press(client, "/password/reset", reset, new_password=NEW_PASSWORD)
    assert is_page(answer, 400, "This link does not work")
    await sign_in(client, ada.email)


async def test_only_the_latest_link_sets_a_password(client, mailbox, ada):
    first, second = [await mailed_reset(client, mailbox, ada) for _ in range(2)]
    answer = await press(client, "/password/reset", first, new_password=NEW_PASSWORD)
    assert is_page(answer, 400, "This link does not work")
    answer = await press(client, "/password/reset", second, new_password=NEW_PASSWORD)
    assert is_page(answer, 200, "Your new password is set")


async def test_a_link_of_one_purpose_does_not_serve_another(client, mailbox, ada, tokens):
    reset = await mailed_reset(client, mailbox, ada)
    _, change = await mailed_change(client, mailbox, tokens)
    assert is_page(await press(client, "/email/change", reset), 400, "This link does not work")
    assert is_page(await press(client, "/email/verify", reset), 400, "This link does not work")
    answer = await press(client, "/password/reset", change, new_password=NEW_PASSWORD)
    assert is_page(answer, 400, "This link does not work")


async def test_a_disabled_account_cannot_be_recovered_through_a_page(client, mailbox, ada):
    token = await mailed_reset(client, mailbox, ada)
    await set_state(client, ada)
    answer = await press(client, "/password/reset", token, new_password=NEW_PASSWORD)
    assert is_page(answer, 400, "This link does not work")


async def test_a_refused_password_is_told_why_in_the_form_and_the_link_still_works(client, mailbox, ada):
    token = await mailed_reset(client, mailbox, ada)
    answer = await press(client, "/password/reset", token, new_password="tiny <&> one")
    assert is_page(answer, 422, "Choose a new password")
    assert "Use at least 15 characters." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert f'name="token" value="{token}"' in answer.text
    assert "tiny" not in answer.text
    answer = await press(client, "/password/reset", token, new_password=NEW_PASSWORD)
    assert is_page(answer, 200, "Your new password is set")


async def test_an_empty_password_is_told_why(client, mailbox, ada):
    answer = await press(client, "/password/reset", await mailed_reset(client, mailbox, ada), new_password="")
    assert is_page(answer, 422, "Choose a new password")


async def test_a_dead_link_tells_nothing_of_the_password(client):
    answer = await press(client, "/password/reset", TOKEN, new_password="tiny")
    assert is_page(answer, 400, "This link does not work")


async def test_a_password_of_any_letters_arrives_as_it_was_typed(client, mailbox, ada):
    password = "ä+% &=;é 漢字 🔑🔑🔑 und mehr"
    token = await mailed_reset(client, mailbox, ada)
    body = urlencode({"token": token, "new_password": password})
    answer = await client.post("/password/reset", content=body, headers={"Content-Type": FORM})
    assert is_page(answer, 200, "Your new password is set")
    await sign_in(client, ada.email, password=password)


async def test_a_username_taken_meanwhile_is_told_on_a_page(client, mailbox):
    username, email = new_name(), f"{new_name()}@example.com"
    await register(client, email, username=username)
    token = await mailbox.token(email)
    await sign_up(client, mailbox, f"{new_name()}@example.com", username=username)
    assert is_page(await press(client, "/email/verify", token), 409, "Your username is taken meanwhile")


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable(retry_after_seconds=3), 503), (TooManyRequests(retry_after_seconds=3), 429)]
)
async def test_a_busy_service_offers_the_button_again(client, monkeypatch, error, status):
    async def busy(*_):
        raise error

    monkeypatch.setattr(VerifyEmail, "by_token", busy)
    monkeypatch.setattr(ResetPassword, "by_token", busy)
    for answer, title in [
        (await press(client, "/email/verify", TOKEN), "Confirm your e-mail address"),
        (await press(client, "/password/reset", TOKEN, new_password=NEW_PASSWORD), "Choose a new password"),
    ]:
        assert is_page(answer, status, title)
        assert answer.headers["retry-after"] == "3"
        assert "try again" in answer.text
        assert f'value="{TOKEN}"' in answer.text


async def test_script_injection_what_is_not_written_like_a_token_is_not_shown_again(client, monkeypatch):
    async def busy(*_):
        raise Unavailable

    monkeypatch.setattr(VerifyEmail, "by_token", busy)
    answer = await press(client, "/email/verify", '"><b>not written like a token')
    assert is_page(answer, 400, "This link does not work")
    assert "not written" not in answer.text


BROKEN_FORMS = {
    "nothing": b"",
    "no token": b"new_password=x",
    "no password": b"token=" + TOKEN.encode(),
    "two tokens": f"token={TOKEN}&token={TOKEN}&new_password=x".encode(),
    "two passwords": f"token={TOKEN}&new_password=x&new_password=y".encode(),
    "a name more": f"token={TOKEN}&new_password=x&user_id=1".encode(),
    "a name spelled twice": f"token={TOKEN}&new_password=x&%74oken=y".encode(),
    "no sign of equality": f"token={TOKEN}&new_password".encode(),
    "two signs of equality": f"token={TOKEN}&new_password=a=b".encode(),
    "half an escape": f"token={TOKEN}&new_password=%4".encode(),
    "no escape": f"token={TOKEN}&new_password=%zz".encode(),
    "not UTF-8": f"token={TOKEN}&new_password=%FF".encode(),
    "half a character": f"token={TOKEN}&new_password=%ED%A0%80".encode(),
    "NUL": f"token={TOKEN}&new_password=%00".encode(),
    "octets not escaped": f"token={TOKEN}&new_password=".encode() + "é".encode(),
    "semicolons": f"token={TOKEN};new_password=x".encode(),
    "JSON": b'{"token": "x"}',
}


@pytest.mark.parametrize("body", BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
async def test_a_form_that_is_not_exactly_ours_is_told_on_a_page(client, body):
    answer = await client.post("/password/reset", content=body, headers={"Content-Type": FORM})
    assert is_page(answer, 400, "This could not be read")


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300))
def test_what_a_browser_encodes_is_read_as_it_was(text):
    body = urlencode({"token": TOKEN, "new_password": text}).encode()
    fields = parse_form(body, names=frozenset({"token", "new_password"}))
    assert fields == {"token": TOKEN, "new_password": text}


@given(body=st.binary(max_size=200) | st.text(alphabet="tokenabc=&%+;0123456789AFé", max_size=60).map(str.encode))
def test_no_octets_break_the_readers(body):
    try:
        fields = parse_form(body, names=frozenset({"token"}))
    except (BadRequest, PayloadTooLarge):
        fields = {"token": ""}
    assert fields.keys() == {"token"}
    token = token_of_query(body)
    assert token is None or re.fullmatch(r"[A-Za-z0-9._~-]{16,512}", token)
    assert choose_language(body.decode("latin-1"), available={"en", "de"}, default="fr") in {"en", "de"}


@pytest.mark.parametrize("spelling", [FORM, f"{FORM}; charset=UTF-8", f"{FORM.upper()};charset=utf-8"])
async def test_the_type_of_a_form_may_name_its_charset(client, spelling):
    answer = await client.post("/email/verify", content=f"token={TOKEN}", headers={"Content-Type": spelling})
    assert is_page(answer, 400, "This link does not work")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": f"{FORM}; charset=latin-1"},
        {"Content-Type": FORM, "Content-Encoding": "gzip"},
    ],
)
async def test_a_body_that_is_no_form_is_told_on_a_page(client, headers):
    answer = await client.post("/email/verify", content=f"token={TOKEN}", headers=headers)
    assert is_page(answer, 415, "This could not be read")


async def test_a_form_that_is_too_large_is_told_on_a_page(client):
    body = f"token={TOKEN}&new_password={'x' * MAX_FORM_BYTES}"
    answer = await client.post("/password/reset", content=body, headers={"Content-Type": FORM})
    assert is_page(answer, 413, "This could not be read")
    body += "x" * MAX_FORM_BYTES
    answer = await client.post("/password/reset", content=body, headers={"Content-Type": FORM})
    assert is_problem(answer, 413, "payload_too_large")


async def test_a_token_in_the_address_of_the_press_is_refused(client, mailbox):
    email, token = await mailed_sign_up(client, mailbox)
    answer = await client.post("/email/verify", params={"token": token}, data={"token": token})
    assert is_page(answer, 400, "This could not be read")
    assert is_page(await press(client, "/email/verify", token), 200, "Your address is confirmed")
    await sign_in(client, email)


@each_page
@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "' onfocus=alert(1) x='", "{{ 7 * 7 }}" + "A" * 16])
async def test_script_injection_nothing_of_a_link_or_form_reaches_the_page_unescaped(client, path, attack):
    fields = {"new_password": attack} if path == "/password/reset" else {}
    pages = [
        await client.get(f"{path}?token={quote(attack)}"),
        await press(client, path, attack, **fields),
        await press(client, path, TOKEN, **(fields and {"new_password": attack})),
    ]
    for answer in pages:
        assert is_page(answer, 400, "This link does not work")
        assert "alert(1)" not in answer.text
        assert "49" not in re.sub(r"<style>.*</style>", "", answer.text, flags=re.DOTALL)


def test_script_injection_every_value_of_a_template_is_escaped():
    attack = '"><script>alert(1)</script>'
    reasons = [("unknown_code", attack + "{min_length}")]
    html = open_book().ask_for_password(
        language="en", token=attack, busy=True, service_name=attack, min_length=15, reasons=reasons
    )
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 4


async def test_host_injection_the_form_goes_to_the_page_itself(client):
    """Relative and without the query: no Host header is in it, and no token gets into a log by the press."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for path in PAGES:
        answer = await look(client, path, TOKEN, **headers)
        assert f'action="{path.rpartition("/")[2]}"' in answer.text
        assert "evil" not in answer.text


GERMAN = "Bestätigen Sie Ihre E-Mail-Adresse"
ENGLISH = "Confirm your e-mail address"


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("", ENGLISH),
        ("de", GERMAN),
        ("de-AT, en;q=0.5", GERMAN),
        ("DE-ch-1996", GERMAN),
        ("en, de", ENGLISH),
        ("en;q=0.3, de;q=0.7", GERMAN),
        ("fr, de;q=0.1", GERMAN),
        ("de;q=0", ENGLISH),
        ("de;q=2", ENGLISH),
        ("fr", ENGLISH),
        ("*", ENGLISH),
        ("../../etc/passwd", ENGLISH),
        ("fr," * 300 + "de", ENGLISH),
    ],
)
async def test_a_page_speaks_the_visitors_language(client, accepted, title):
    answer = await look(client, "/email/verify", TOKEN, **{"Accept-Language": accepted})
    assert is_page(answer, 200, title)


async def test_a_visitor_without_a_language_gets_the_one_of_the_settings(settings, open_app):
    async with open_app(settings.model_copy(update={"locale": "de-AT"})) as client:
        assert is_page(await look(client, "/email/verify", TOKEN, **{"Accept-Language": "fr"}), 200, GERMAN)


async def test_reasons_are_told_in_the_visitors_language(client, mailbox, ada):
    token = await mailed_reset(client, mailbox, ada)
    headers = {"Accept-Language": "de", "Content-Type": FORM}
    answer = await client.post("/password/reset", content=f"token={token}&new_password=kurz", headers=headers)
    assert is_page(answer, 422, "Wählen Sie ein neues Passwort")
    assert "Verwenden Sie mindestens 15 Zeichen." in answer.text


def test_each_language_has_the_same_sentences():
    book = open_book()
    assert book.languages == {"en", "de"}
    english = book.words["en"]
    assert {*Journey, *Told, "common", "reasons"} == set(english)
    for words in book.words.values():
        assert {table: set(words[table]) for table in english if table != "reasons"} == {
            table: set(english[table]) for table in english if table != "reasons"
        }


def test_german_knows_every_reason_against_a_password():
    codes = {reason.code for reason in Reason} | {password_checker.BREACHED, password_checker.TOO_WEAK}
    assert set(open_book().words["de"]["reasons"]) == codes


def test_a_folder_of_ones_own_is_read_whole(tmp_path):
    ours = open_book()
    for name in ours.environment.list_templates():
        (tmp_path / name).write_text(ours.environment.loader.get_source(ours.environment, name)[0])
    french = (tmp_path / "words.en.toml").read_text().replace("Confirm address", "Confirmer")
    assert tomllib.loads(french)
    (tmp_path / "words.fr.toml").write_text(french)
    book = open_book(tmp_path)
    assert book.languages == {"en", "de", "fr"}
    html = book.ask(Journey.VERIFY_EMAIL, language="fr", token=TOKEN, busy=False, service_name="x")
    assert ">Confirmer</button>" in html


async def test_the_json_doors_stay_as_they_were(client, mailbox):
    email, token = await mailed_sign_up(client, mailbox)
    assert is_empty(await client.post("/v1/email/verify", json={"token": token}))
    assert is_problem(await client.get("/v1/email/verify", params={"token": token}), 405, "method_not_allowed")
    await sign_in(client, email)
    person = await make_person(client)
    reset = await mailed_reset(client, mailbox, person)
    body = {"token": reset, "new_password": NEW_PASSWORD}
    assert is_empty(await client.post("/v1/password/reset", json=body))
