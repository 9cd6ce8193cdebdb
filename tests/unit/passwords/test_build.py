from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path

import django.contrib.auth
import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from service.kernel.secret import Secret
from service.passwords.breach import Breach
from service.passwords.data.build import LONG, chosen, main, pairs, table_of
from service.passwords.offline import OfflineBreachList

DJANGO_LIST = Path(django.contrib.auth.__file__).parent / "common-passwords.txt.gz"
RANKED = FREQUENCY_LISTS["passwords"]
LEAST = 3000
"""OWASP ASVS 6.2.4: the common passwords to check against, of those that match the policy."""


@pytest.mark.parametrize("texts", [RANKED, gzip.decompress(DJANGO_LIST.read_bytes()).decode().splitlines()])
async def test_the_shipped_list_holds_every_common_password_of_its_sources(texts):
    embedded = OfflineBreachList.embedded()
    listed = chosen(texts)
    assert len(listed) > 8_000
    for text in listed:
        assert await embedded.contains(Secret(text)) is Breach.LISTED, text


async def test_the_shipped_list_holds_thousands_that_are_as_long_as_the_policy_asks():
    embedded = OfflineBreachList.embedded()
    long = [text for text in pairs(RANKED) if len(text) >= 15]
    assert len(long) > LEAST
    for text in long[:: len(long) // LEAST]:
        assert await embedded.contains(Secret(text)) is Breach.LISTED, text


def test_the_shipped_file_is_made_of_the_sources_that_its_notice_names_and_of_nothing_else(tmp_path):
    made = tmp_path / "common.bin"
    main(str(DJANGO_LIST), str(made))
    assert made.read_bytes() == files("service.passwords.data").joinpath("common.bin").read_bytes()


def test_what_is_too_short_for_a_password_is_left_out():
    assert chosen(["Dragon77", "short"]) == {"dragon77"}


def test_each_of_the_commonest_is_joined_to_each_other_where_that_is_long():
    assert set(pairs(["Password", "123456", "dragon"])) == {
        "password123456", "123456password", "passworddragon", "dragonpassword", "123456dragon", "dragon123456",
    }  # fmt: skip
    assert not list(pairs(["x" * (LONG // 2), "y" * (LONG // 2 - 1)]))


def test_the_same_lists_make_the_same_file(tmp_path):
    source, target = tmp_path / "list.txt", tmp_path / "common.bin"
    source.write_text("Dragon77\nsunshine\n", encoding="utf-8")
    main(str(source), str(target))
    first = target.read_bytes()
    main(str(source), str(target))
    assert target.read_bytes() == first == table_of({"dragon77", "sunshine", *chosen(RANKED), *pairs(RANKED)})


def test_the_wheel_says_where_the_list_comes_from_and_under_which_licences():
    notice = files("service.passwords.data").joinpath("NOTICE.txt").read_text(encoding="utf-8")
    for part in ("Django Software Foundation", "Dan Wheeler", "Daniel Wolf", "Mark Burnett"):
        assert part in notice
    assert notice.count("Redistribution and use in source and binary forms") == 1
    assert notice.count("Permission is hereby granted") == 1
