from __future__ import annotations

import sys

import pytest

from service.engines import registry
from service.engines.cache import engines_dir
from service.engines.errors import EngineUnavailable
from service.engines.folder import DataFolder


@pytest.fixture
def offered(scripted):
    """dynoxide cannot be had; the two others can."""
    return (
        scripted(script="", name="dynoxide", why_not="fetch it"),
        scripted(script="", name="ministack"),
        scripted(script="", name="dynamodb-local"),
    )


@pytest.fixture
def written_by(tmp_path):
    def remember(name):
        folder = DataFolder(root=tmp_path)
        folder.prepare(name)
        folder.remember(name)
        return tmp_path

    return remember


def test_auto_is_the_first_that_can_be_had(offered):
    assert registry.choose("auto", engines=offered).name == "ministack"


def test_auto_stays_with_the_engine_whose_data_is_there(offered, written_by):
    assert registry.choose("auto", data_dir=written_by("dynamodb-local"), engines=offered).name == "dynamodb-local"


def test_auto_refuses_to_start_empty_beside_data_that_it_cannot_read(offered, written_by):
    with pytest.raises(EngineUnavailable, match=r"the data is dynoxide's, but .* fetch it; or name another"):
        registry.choose("auto", data_dir=written_by("dynoxide"), engines=offered)


def test_auto_in_an_empty_folder_is_the_first_that_can_be_had(offered, tmp_path):
    assert registry.choose("auto", data_dir=tmp_path, engines=offered).name == "ministack"


def test_a_name_wins_over_the_data(offered, written_by):
    data_dir = written_by("dynamodb-local")

    assert registry.choose("ministack", data_dir=data_dir, engines=offered).name == "ministack"


def test_a_named_engine_that_cannot_be_had_is_one_line_with_the_cure(offered):
    with pytest.raises(EngineUnavailable, match=r"^the engine dynoxide cannot be had: fetch it$"):
        registry.choose("dynoxide", engines=offered)


def test_with_no_engine_at_all_every_reason_is_named(scripted):
    engines = [scripted(script="", name=name, why_not=f"no {name}") for name in ("dynoxide", "ministack")]

    with pytest.raises(EngineUnavailable, match=r"dynoxide: no dynoxide; ministack: no ministack"):
        registry.choose("auto", engines=engines)


def test_the_three_are_offered_the_fastest_first():
    assert [engine.name for engine in registry.all_engines()] == ["dynoxide", "ministack", "dynamodb-local"]


def test_only_engines_that_can_be_started_are_available(offered, monkeypatch):
    monkeypatch.setattr(registry, "all_engines", lambda: offered)

    assert [engine.name for engine in registry.available_engines()] == ["ministack", "dynamodb-local"]
    assert registry.choose("auto").name == "ministack"


def test_the_cache_is_in_the_virtual_environment_so_that_any_folder_finds_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEYTURN_ENGINES_DIR", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    assert engines_dir() == tmp_path / "venv" / "engines"


def test_without_a_virtual_environment_the_cache_is_in_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KEYTURN_ENGINES_DIR", raising=False)
    monkeypatch.setattr("sys.prefix", sys.base_prefix)
    assert engines_dir() == tmp_path / ".engines"


def test_a_variable_says_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("KEYTURN_ENGINES_DIR", str(tmp_path / "elsewhere"))
    assert engines_dir() == tmp_path / "elsewhere"
