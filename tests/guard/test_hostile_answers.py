"""Answers of an issuer, or of who is in its place, that must not be believed, followed, read on or waited for."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest

from keyturn import Bounds, IssuerKeys, Verifier, errors
from keyturn.issuer_url import WELL_KNOWN
from keyturn.testing.issuer import OfflineIssuer
from tests.guard.conftest import AUDIENCE, JSON, JWKS_PATH, serving

QUICK = Bounds(fetch_seconds=0.5)


def refuses(guard, issuer, caplog):
    """The verifier has no keys; answers the reason in the log."""
    caplog.set_level("WARNING", logger="keyturn.keys")
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(issuer.token_for("user"))
    return caplog.text


def metadata(live, **changes):
    document = {"issuer": live.issuer, "jwks_uri": live.issuer + JWKS_PATH} | changes
    return (200, JSON, json.dumps(document).encode())


def key_set(live, *more, **changes):
    """The issuer's own key set, with changes to its first key and more keys behind it."""
    keys = [dict(one) for one in live.jwks()["keys"]]
    keys[0] |= changes
    return (200, JSON, json.dumps({"keys": [*keys, *more]}).encode())


@pytest.mark.parametrize(
    "said",
    ["https://evil.example.com", "{issuer}/", "{issuer}/tenant", None, 7],
    ids=["another", "with a slash", "with a path", "none", "no text"],
)
def test_mix_up_metadata_that_name_another_issuer_are_refused(live, guard_of, caplog, said):
    named = said.format(issuer=live.issuer) if isinstance(said, str) else said
    live.answers[WELL_KNOWN] = metadata(live, issuer=named)
    assert "metadata are of another issuer" in refuses(guard_of(live), live, caplog)
    assert live.fetches == 0


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example.com/jwks.json",
        "http://192.0.2.1/jwks.json",
        "file:///etc/passwd",
        "ftp://127.0.0.1/jwks.json",
        "//127.0.0.1/jwks.json",
        "http://user@127.0.0.1:{port}/.well-known/jwks.json",
        "http://127.0.0.1:1/jwks.json",
        "http://127.0.0.1:{port}\\@evil.example.com/jwks.json",
        "http://127.0.0.1:{port}/ jwks.json",
        "http://127.0.0.1:99999/jwks.json",
        "http://[::1/jwks.json",
        "",
        None,
        ["http://127.0.0.1:{port}/.well-known/jwks.json"],
    ],
)
def test_server_side_request_forgery_a_key_set_anywhere_else_is_not_fetched(live, guard_of, caplog, uri):
    port = live.issuer.rpartition(":")[2]
    live.answers[WELL_KNOWN] = metadata(live, jwks_uri=uri.format(port=port) if isinstance(uri, str) else uri)
    assert "not allowed" in refuses(guard_of(live), live, caplog)
    assert live.asked == [WELL_KNOWN]


def test_a_key_set_on_another_origin_is_fetched_where_that_was_allowed(live, guard_of):
    with serving() as elsewhere:
        live.answers[WELL_KNOWN] = metadata(live, jwks_uri=elsewhere.issuer + "/keys")
        elsewhere.answers["/keys"] = (200, JSON, live.jwks_bytes())
        guard = guard_of(live, jwks_origins=[elsewhere.issuer])
        assert guard.verify(live.token_for("user")).subject == "user"
        assert elsewhere.asked == ["/keys"]


@pytest.mark.parametrize("path", [WELL_KNOWN, JWKS_PATH])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(live, guard_of, caplog, path, status):
    with serving() as elsewhere:
        live.answers[path] = (status, {"Location": elsewhere.issuer + path}, b"")
        assert f"has status {status}" in refuses(guard_of(live), live, caplog)
        assert elsewhere.asked == []


@pytest.mark.parametrize("status", [201, 204, 304, 400, 404, 429, 500, 503])
def test_only_a_200_holds_keys(live, guard_of, caplog, status):
    live.answers[JWKS_PATH] = (status, JSON, b"" if status in {204, 304} else live.jwks_bytes())
    assert f"has status {status}" in refuses(guard_of(live), live, caplog)


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/jsonp", ""])
def test_what_is_not_json_by_its_type_is_not_read(live, guard_of, caplog, kind):
    live.answers[JWKS_PATH] = (200, {"Content-Type": kind}, live.jwks_bytes())
    assert "not JSON by its media type" in refuses(guard_of(live), live, caplog)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/jwk-set+json"])
def test_the_types_of_json_are_read(live, guard_of, kind):
    live.answers[JWKS_PATH] = (200, {"Content-Type": kind}, live.jwks_bytes())
    assert guard_of(live).verify(live.token_for("user")).subject == "user"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"<html>", b'{"keys":[],"keys":[]}', b"\xff\xfe{\0}\0", b"[" * 200_000, b'{"keys":{}}', b"{}"],
)
def test_what_is_not_a_strict_json_key_set_is_refused(live, guard_of, caplog, body):
    live.answers[JWKS_PATH] = (200, JSON, body)
    assert refuses(guard_of(live), live, caplog)


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "oct", "kid": "hmac", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-384", "kid": "x", "alg": "ES384", "d": "AA"},
    ],
    ids=["symmetric", "private"],
)
def test_a_set_with_a_private_or_symmetric_key_is_refused_as_a_whole(live, guard_of, caplog, other):
    live.answers[JWKS_PATH] = key_set(live, other)
    assert "private or symmetric" in refuses(guard_of(live), live, caplog)


def test_a_set_that_was_refused_takes_nothing_from_the_one_before(still, guard_of):
    guard = guard_of(still)
    guard.prepare()
    still.answers[JWKS_PATH] = key_set(still, d="AA")
    still.clock.advance(seconds=300)
    assert guard.verify(still.token_for("user")).subject == "user"
    still.clock.advance(seconds=3300)
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(still.token_for("user"))


def test_an_answer_larger_than_the_bound_is_not_read_to_its_end(live, guard_of, caplog):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.close_connection = True
        try:
            while len(sent) < 10_000:
                handler.wfile.write(b" " * 65536)
                sent.append(1)
        except OSError:
            return

    live.answers[JWKS_PATH] = endless
    assert "too large" in refuses(guard_of(live), live, caplog)
    assert len(sent) < 1000


def test_a_compressed_answer_is_not_unpacked(live, guard_of, caplog):
    live.answers[JWKS_PATH] = (200, {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b" + bytes(100))
    assert "compressed" in refuses(guard_of(live), live, caplog)


def drips(live, piece, *, head=b""):
    """Sends ``piece`` for ever, slowly, until the other side hangs up."""
    over = threading.Event()

    def drip(handler):
        handler.close_connection = True
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head)
            while not over.wait(0.05):
                handler.wfile.write(piece)
        except OSError:
            return

    live.answers[JWKS_PATH] = drip
    return over


def test_slow_loris_a_body_that_drips_is_given_up(live, guard_of, caplog):
    over = drips(live, b" ", head=b"\r\n")
    began = time.monotonic()
    assert "takes too long" in refuses(guard_of(live, bounds=QUICK), live, caplog)
    assert time.monotonic() - began < 10
    over.set()


@pytest.mark.parametrize("way", ["plain", "in a loop"])
def test_slow_loris_headers_that_drip_hold_nobody_and_are_given_up_for_the_next_fetch(live, guard_of, way):
    over = drips(live, b"x")
    guard, token = guard_of(live, bounds=QUICK), live.token_for("user")
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(token) if way == "plain" else asyncio.run(guard.verify_async(token))
    del live.answers[JWKS_PATH]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert guard.verify(live.token_for("user")).subject == "user"
            break
        except errors.KeysUnavailable:
            continue
    else:
        pytest.fail("the stuck fetch was never given up")
    over.set()


def test_an_issuer_that_never_answers_holds_a_request_no_longer_than_the_bound(live, guard_of):
    live.held = threading.Event()
    began = time.monotonic()
    with pytest.raises(errors.KeysUnavailable):
        guard_of(live, bounds=QUICK).verify(live.token_for("user"))
    assert time.monotonic() - began < 10


def test_nobody_there_is_an_issuer_that_is_away(caplog):
    with serving() as gone:
        token = gone.token_for("user")
    guard = Verifier(gone.issuer, AUDIENCE)
    with pytest.raises(errors.KeysUnavailable):
        guard.verify(token)
    assert "ConnectError" in caplog.text
    guard.close()


def test_a_failure_that_nobody_foresaw_is_a_refusal_and_not_a_loop():
    opened = []

    class Broken:
        def prepare(self):
            """Nothing is slow to load."""

        def get(self, url, *, seconds, headers=None):
            opened.append(url)
            raise ZeroDivisionError

        def close(self):
            """Nothing is open."""

    said, threading.excepthook = [], lambda report: said.append(report.exc_type)
    try:
        issuer = OfflineIssuer(audience=AUDIENCE)
        keys = IssuerKeys(issuer.issuer, new_fetcher=Broken)
        with pytest.raises(errors.KeysUnavailable):
            Verifier(issuer.issuer, AUDIENCE, keys=keys).verify(issuer.token_for("user"))
    finally:
        threading.excepthook = threading.__excepthook__
        keys.close()
    assert len(opened) == 1
    assert said == [ZeroDivisionError]


@pytest.mark.parametrize(
    "issuer",
    [
        "http://auth.example.com",
        "https://auth.example.com?x",
        "https://auth.example.com#x",
        "https://user@auth.example.com",
        "auth.example.com",
        "https://",
        "",
        "https://auth.example.com/\u00e9",
        "https://auth.example.com/ x",
    ],
)
def test_what_cannot_be_an_issuer_is_refused_where_it_is_written(issuer):
    with pytest.raises(ValueError, match="issuer"):
        Verifier(issuer, AUDIENCE)


def test_what_cannot_be_an_origin_of_keys_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="origin"):
        Verifier("https://auth.example.com", AUDIENCE, jwks_origins=["http://keys.example.com"])


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://auth.example.com", "https://auth.example.com/.well-known/oauth-authorization-server"),
        ("https://auth.example.com/", "https://auth.example.com/.well-known/oauth-authorization-server"),
        ("https://auth.example.com/t/1", "https://auth.example.com/.well-known/oauth-authorization-server/t/1"),
    ],
)
def test_metadata_are_where_the_rfc_puts_them(issuer, url):
    from keyturn.issuer_url import metadata_url

    assert metadata_url(issuer) == url
