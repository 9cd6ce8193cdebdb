"""Signatures: those of botocore's own signer, byte for byte, over whatever is drawn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import CredentialRetrievalError
from hypothesis import given
from hypothesis import strategies as st

from service.store.lean.signer import Signer

HOST = "dynamodb.eu-central-1.amazonaws.com"
KEYS = ReadOnlyCredentials("AKIDEXAMPLE", "secret", None)
NOW_MS = 1_800_000_000_000
printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
credentials = st.builds(ReadOnlyCredentials, printable, st.text(min_size=1, max_size=60), st.none() | printable)
times = st.integers(0, 4_102_444_800_000)
operations = st.sampled_from(["GetItem", "TransactWriteItems", "Query"])


def head_of(signer, target, body, keys, now_ms):
    lines = signer.head(target, body, credentials=keys, now_ms=now_ms).decode().split("\r\n")
    assert lines[0] == "POST / HTTP/1.1"
    assert lines[-2:] == ["", ""]
    return dict(line.split(": ", 1) for line in lines[1:-2])


def botocores(headers, body, keys, *, host, region, now_ms, monkeypatch):
    """What botocore's signer makes of the same headers."""
    sent = {name: text for name, text in headers.items() if name in {"content-type", "x-amz-target"}}
    request = AWSRequest("POST", f"https://{host}/", headers={**sent, "user-agent": "keyturn"}, data=body)
    moment = datetime.fromtimestamp(now_ms // 1000, tz=UTC)
    with monkeypatch.context() as patched:
        patched.setattr(auth, "get_current_datetime", lambda: moment)
        auth.SigV4Auth(keys, "dynamodb", region).add_auth(request)
    return request.headers


@given(
    body=st.binary(max_size=300),
    keys=credentials,
    now_ms=times,
    operation=operations,
    place=st.sampled_from([(HOST, "eu-central-1"), ("127.0.0.1:8000", "us-east-1"), ("[::1]:8000", "x")]),
)
def test_a_request_is_signed_as_botocore_signs_it(body, keys, now_ms, operation, place):
    host, region = place
    target = f"DynamoDB_20120810.{operation}"
    headers = head_of(Signer(host=host, region=region), target, body, keys, now_ms)
    with pytest.MonkeyPatch.context() as monkeypatch:
        theirs = botocores(headers, body, keys, host=host, region=region, now_ms=now_ms, monkeypatch=monkeypatch)
    assert headers["authorization"] == theirs["Authorization"]
    assert headers["x-amz-date"] == theirs["X-Amz-Date"]
    assert headers.get("x-amz-security-token") == theirs.get("X-Amz-Security-Token")
    assert (headers["host"], headers["content-length"]) == (host, str(len(body)))


@given(st.lists(st.tuples(st.binary(max_size=20), credentials, times), min_size=2, max_size=6))
def test_what_is_kept_between_requests_never_goes_into_one_that_it_does_not_belong_to(requests):
    signer = Signer(host=HOST, region="eu-central-1")
    for body, keys, now_ms in requests:
        fresh = Signer(host=HOST, region="eu-central-1")
        assert head_of(signer, "t", body, keys, now_ms) == head_of(fresh, "t", body, keys, now_ms)


@pytest.mark.parametrize(
    "keys",
    [
        ReadOnlyCredentials("AKID\r\nx-amz-target: other", "s", None),
        ReadOnlyCredentials("AKID", "s", "token\nx-evil: 1"),
        ReadOnlyCredentials("AKID", "s", "tok en"),
        ReadOnlyCredentials("AKID", "s", ""),
        ReadOnlyCredentials("", "s", None),
        ReadOnlyCredentials("AKID", "", None),
        ReadOnlyCredentials(None, None, None),
        ReadOnlyCredentials("ключ", "s", None),
    ],
)
def test_header_injection_keys_that_no_header_can_carry_sign_nothing(keys):
    with pytest.raises(CredentialRetrievalError) as refused:
        Signer(host=HOST, region="eu-central-1").head("t", b"", credentials=keys, now_ms=NOW_MS)
    assert "evil" not in str(refused.value)


def test_the_secret_is_not_in_what_is_sent():
    assert b"secret" not in Signer(host=HOST, region="r").head("t", b"", credentials=KEYS, now_ms=NOW_MS)
