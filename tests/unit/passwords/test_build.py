from __future__ import annotations

from importlib.resources import files

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from service.kernel.secret import Secret
from service.passwords.breach import Breach
from service.passwords.data import build
from service.passwords.data.build import LONG, chosen, main, table_of
from service.passwords.offline import OfflineBreachList


async def test_the_shipped_list_holds_every_common_password_of_the_source_that_ships_with_a_library():
    embedded = OfflineBreachList.embedded()
    texts = chosen(FREQUENCY_LISTS["passwords"])
    assert len(texts) > 11_000
    for text in texts:
        assert await embedded.contains(Secret(text)) is Breach.LISTED, text


def test_short_entries_are_left_out_and_long_ones_are_taken_wherever_they_stand(monkeypatch):
    monkeypatch.setattr(build, "COMMONEST", 2)
    long = "x" * LONG
    assert chosen(["Dragon77", "short", "tooRare1", long.upper()]) == {"dragon77", long}


def test_the_same_lists_make_the_same_file(tmp_path):
    source, target = tmp_path / "list.txt", tmp_path / "common.bin"
    source.write_text("Dragon77\nsunshine\n", encoding="utf-8")
    main(str(source), str(target))
    first = target.read_bytes()
    main(str(source), str(target))
    assert target.read_bytes() == first == table_of({"dragon77", *chosen(FREQUENCY_LISTS["passwords"]), "sunshine"})


def test_the_wheel_says_where_the_list_comes_from():
    notice = files("service.passwords.data").joinpath("NOTICE.txt").read_text(encoding="utf-8")
    assert "SecLists" in notice
    assert "zxcvbn" in notice
    assert notice.count("Permission is hereby granted") == 1
