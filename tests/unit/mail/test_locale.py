from __future__ import annotations

import pytest

from service.mail.locale import fallback_chain


@pytest.mark.parametrize(
    ("locale", "chain"),
    [
        ("de-AT", ("de-at", "de", "en")),
        ("de_AT", ("de-at", "de", "en")),
        ("en", ("en",)),
        ("en-GB", ("en-gb", "en")),
        ("zh-Hant-TW", ("zh-hant-tw", "zh-hant", "zh", "en")),
        ("", ("en",)),
        ("../../etc/passwd", ("en",)),
        ("de\n", ("en",)),
        ("x" * 1000, ("en",)),
    ],
)
def test_a_locale_falls_back_to_its_language_and_then_to_english(locale, chain):
    assert fallback_chain(locale) == chain
