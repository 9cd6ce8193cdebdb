from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mail.addresses import AddressRefused, parse_mailbox


@pytest.mark.parametrize(
    "text",
    ["ann@example.com", "a.b+tag@mail.example.co.uk", "root@localhost", "o'neil@x.example", "a@xn--bcher-kva.example"],
)
def test_an_address_is_taken_as_it_is(text):
    assert parse_mailbox(text).address == text


def test_the_domain_is_lower_case_and_the_local_part_is_left_alone():
    assert parse_mailbox("Ann@Example.COM").address == "Ann@example.com"


def test_letters_beyond_ascii_in_the_local_part_need_smtputf8():
    assert parse_mailbox("bjørn@example.com").needs_smtputf8
    assert not parse_mailbox("bjorn@example.com").needs_smtputf8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "a@b@c.example",
        "ann@exa mple.com",
        "ann@-x.example",
        "ann@x..example",
        "ann@x.example.",
        ".ann@x.example",
        "an..n@x.example",
        "ann@[127.0.0.1]",
        '"a b"@x.example',
        "ann@b\u00fccher.example",
        "ann@\u212aexample.com",
        "ann@x_y.example",
        "a\ud800b@x.example",
        "a" * 65 + "@x.example",
        "ø" * 33 + "@x.example",
        "ann@" + "a" * 64 + ".example",
        "ann@" + ".".join(["a" * 60] * 4) + ".example",
    ],
)
def test_what_is_not_exactly_one_address_is_refused(text):
    with pytest.raises(AddressRefused):
        parse_mailbox(text)


@pytest.mark.parametrize(
    "text",
    [
        "ann@x.example\r\nBcc: eve@evil.example",
        "ann@x.example\n",
        "\nann@x.example",
        "an\rn@x.example",
        "an\0n@x.example",
        "ann@x.example\u2028Bcc:eve@evil.example",
        "an\u0085n@x.example",
        "an\u200bn@x.example",
        "ann@x.example,eve@evil.example",
        "ann@x.example;eve@evil.example",
        "ann@x.example eve@evil.example",
        "Ann <ann@x.example>",
        "<ann@x.example>",
        "ann@x.example(comment)",
        "ann@x.example> SIZE=1 <eve@evil.example",
        "Group: ann@x.example, eve@evil.example;",
        "ann\uff20evil.example@x.example",
    ],
)
def test_attack_second_recipient_smuggled_into_the_address(text):
    with pytest.raises(AddressRefused) as refusal:
        parse_mailbox(text)
    assert "x.example" not in str(refusal.value)


@given(st.text(max_size=60))
def test_whatever_is_taken_has_one_at_sign_and_no_space_or_control(text):
    try:
        address = parse_mailbox(text + "@example.com").address
    except AddressRefused:
        return
    assert address.count("@") == 1
    assert address.isprintable()
    assert not set(address) & set(' ,;:<>()[]"\\')
