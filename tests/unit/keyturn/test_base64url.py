from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyturn import base64url

# A busy machine, or the first run that builds Hypothesis's tables, is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@PATIENT
@given(st.binary(max_size=100))
def test_what_is_encoded_decodes_to_itself(raw):
    assert base64url.decode(base64url.encode(raw)) == raw


@PATIENT
@given(st.text(alphabet=ALPHABET + "=+/ \n.\uff21", max_size=12))
def test_a_text_that_decodes_is_the_one_spelling_of_its_bytes(text):
    raw = base64url.decode(text)
    assert raw is None or base64url.encode(raw) == text


@PATIENT
@given(st.binary(min_size=1, max_size=40), st.sampled_from(ALPHABET))
def test_no_other_last_character_spells_the_same_bytes(raw, last):
    text = base64url.encode(raw)
    assert base64url.decode(text[:-1] + last) != raw or text[-1] == last


@pytest.mark.parametrize(
    "text", ["QQ==", "QQ=", "QR", "Q", "Q\nQ", " QQ", "QQ ", "++++", "////", "QQ.", "\uff31\uff31", "\ud800", "Q=Q"]
)
def test_another_spelling_is_refused(text):
    assert base64url.decode(text) is None


def test_the_standard_library_takes_what_we_refuse():
    assert base64.urlsafe_b64decode("QR==") == base64.urlsafe_b64decode("QQ==") == b"A"
