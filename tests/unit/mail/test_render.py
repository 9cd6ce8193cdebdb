from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

import service.mail.render
from service.mail.addresses import AddressRefused
from service.mail.compose import HeaderRefused, compose
from service.mail.message import REQUIRED_VALUES, MailKind, MailMessage
from service.mail.render import Renderer

ID = "ab" * 16
LINK = "https://a.example/email/verify?token=" + "t" * 43
VALUES = {
    "link": LINK,
    "code": "493817",
    "expires_minutes": "30",
    "device": "Firefox on Linux",
    "address": "192.0.2.7",
    "time": "2026-01-31 17:05 UTC",
    "reason": "refresh_token_reuse",
}
LANGUAGES = ["en", "de"]


def renderer(**changes):
    return Renderer(**({"sender": "no-reply@auth.example", "service_name": "Acme & Sons"} | changes))


def message(kind, locale="en"):
    return MailMessage(
        to="ann@example.com",
        template=kind,
        locale=locale,
        values={name: VALUES[name] for name in REQUIRED_VALUES[kind]},
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(MailKind))
def test_every_kind_reads_well_in_every_language(kind, language):
    mail = renderer().render(message(kind, language), message_id=ID)
    assert 0 < len(mail.subject) <= 70
    assert mail.subject in mail.html
    assert f'<html lang="{language}">' in mail.html
    for name in REQUIRED_VALUES[kind] - {"reason"}:
        assert VALUES[name] in mail.text
        assert VALUES[name] in mail.html
    assert max(map(len, mail.text.replace(LINK, "").splitlines())) <= 78
    assert "\n\n\n" not in mail.text
    assert compose(mail, sent_ms=0).to == "ann@example.com"


@pytest.mark.parametrize("kind", [kind for kind in MailKind if "link" in REQUIRED_VALUES[kind]])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_has_the_link_alone_on_a_line_and_the_code_alone_on_a_line(kind, language):
    lines = renderer().render(message(kind, language), message_id=ID).text.splitlines()
    assert lines.count(LINK) == 1
    assert lines.count("493817") == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(MailKind))
def test_the_html_loads_nothing_and_runs_nothing(kind, language):
    html = renderer().render(message(kind, language), message_id=ID).html
    assert not re.search(r"<(?:img|script|link|iframe|form|object|video|audio)\b|\bon\w+=|url\(|@import|\bsrc=", html)
    assert set(re.findall(r'href="([^"]*)"', html)) <= {LINK}


def test_the_service_name_is_escaped_in_html_and_left_alone_in_text():
    mail = renderer(service_name="Acme & 'Sons'").render(message(MailKind.PASSWORD_CHANGED), message_id=ID)
    assert "Acme &amp; &#39;Sons&#39;" in mail.html
    assert "Acme & 'Sons'" in mail.text


def test_the_reason_of_an_ended_session_is_a_sentence_and_not_a_code():
    for language in LANGUAGES:
        mail = renderer().render(message(MailKind.SESSIONS_ENDED, language), message_id=ID)
        assert "refresh_token_reuse" not in mail.text + mail.html


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("de-AT", "Ihr Passwort wurde geändert"),
        ("DE", "Ihr Passwort wurde geändert"),
        ("en-GB", "Your password was changed"),
        ("fr-CA", "Your password was changed"),
        ("../de", "Your password was changed"),
    ],
)
def test_the_nearest_language_is_used(locale, subject):
    assert renderer().render(message(MailKind.PASSWORD_CHANGED, locale), message_id=ID).subject == subject


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_folder_of_ones_own_replaces_one_template_and_keeps_the_others(tmp_path):
    write(tmp_path, "en/password_changed.txt", "Ours\nBody.\n")
    own = renderer(template_folder=tmp_path)
    assert own.render(message(MailKind.PASSWORD_CHANGED), message_id=ID).subject == "Ours"
    assert own.render(message(MailKind.CONFIRM_EMAIL), message_id=ID).subject == "Confirm your email address"


def test_a_folder_of_ones_own_adds_a_language_kind_by_kind(tmp_path):
    write(tmp_path, "fr/password_changed.txt", "Mot de passe modifi\u00e9\nCorps.\n")
    write(tmp_path, "fr/password_changed.html", "<p>Corps.</p>")
    write(tmp_path, "fr/confirm_email.txt", "Seul le texte\n")
    own = renderer(template_folder=tmp_path)
    assert own.render(message(MailKind.PASSWORD_CHANGED, "fr-CA"), message_id=ID).subject == "Mot de passe modifi\u00e9"
    assert own.render(message(MailKind.CONFIRM_EMAIL, "fr"), message_id=ID).subject == "Confirm your email address"


def test_a_value_in_a_replaced_html_template_is_escaped(tmp_path):
    write(tmp_path, "en/password_changed.html", "<p>{{ service_name }}</p>")
    own = renderer(service_name="a&b", template_folder=tmp_path)
    assert own.render(message(MailKind.PASSWORD_CHANGED), message_id=ID).html == "<p>a&amp;b</p>"


def test_a_template_that_asks_for_a_value_it_does_not_have_is_an_error(tmp_path):
    write(tmp_path, "en/password_changed.txt", "Subject\n{{ link }}\n")
    with pytest.raises(jinja2.UndefinedError):
        renderer(template_folder=tmp_path).render(message(MailKind.PASSWORD_CHANGED), message_id=ID)


def test_a_broken_template_stops_the_start(tmp_path):
    write(tmp_path, "en/password_changed.txt", "{% if %}")
    with pytest.raises(jinja2.TemplateSyntaxError):
        renderer(template_folder=tmp_path)


def test_a_missing_folder_a_bad_sender_and_a_bad_name_stop_the_start(tmp_path):
    with pytest.raises(NotADirectoryError):
        renderer(template_folder=tmp_path / "absent")
    with pytest.raises(AddressRefused):
        renderer(sender="Keyturn <no-reply@auth.example>")
    with pytest.raises(HeaderRefused):
        renderer(service_name="Acme\r\nBcc: eve@evil.example")


def test_there_is_no_template_that_no_kind_uses():
    folder = Path(service.mail.render.__file__).parent / "templates"
    expected = {f"{kind}.{ext}" for kind in [*MailKind, "footer"] for ext in ("txt", "html")}
    for language in LANGUAGES:
        assert {path.name for path in (folder / language).iterdir()} == expected
