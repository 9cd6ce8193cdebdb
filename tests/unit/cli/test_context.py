"""What every command shares: where settings come from, and how it ends when they cannot serve."""

from __future__ import annotations

import pytest
import typer

from service.cli.context import load_or_fail, serving_settings_or_fail
from service.cli.running import RUNNING_FILE, read_running, remove_running, write_running


@pytest.fixture
def shell(environ, monkeypatch, tmp_path):
    """A folder, and an environment that is put back at the end."""
    monkeypatch.chdir(tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYTURN_MAIL_URL", "ses:?canary"),
        ("KEYTURN_MAIL_URL", "carrier-pigeon:canary"),
        ("KEYTURN_MAIL_URL", "smtp://user:canary@host:port"),
        ("KEYTURN_MAIL_FROM", "Ada <canary@example.com>"),
        ("KEYTURN_MAIL_FROM", "a@example.com, canary@example.com"),
        ("KEYTURN_MAIL_TEMPLATES", "/nowhere/canary"),
    ],
)
def test_what_a_server_would_stumble_over_is_found_before_it_starts(shell, capsys, name, value):
    shell.setenv(name, value)
    assert load_or_fail()
    with pytest.raises(typer.Exit) as ended:
        serving_settings_or_fail()
    out, err = capsys.readouterr()
    assert (ended.value.exit_code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith(f"keyturn: {name}: ")
    assert "canary" not in err


def test_settings_that_can_serve_pass(shell, tmp_path):
    shell.setenv("KEYTURN_MAIL_FROM", "auth@example.com")
    shell.setenv("KEYTURN_MAIL_TEMPLATES", str(tmp_path))
    assert serving_settings_or_fail().mail_from == "auth@example.com"


def test_without_settings_those_of_a_running_dev_are_used(shell, environ, tmp_path, capsys):
    write_running(tmp_path / ".keyturn", {**environ, "KEYTURN_SERVICE_NAME": "noted"})
    assert load_or_fail().service_name == "Keyturn", "the environment has settings: they count"
    for name in environ:
        shell.delenv(name)
    # What is taken over stays in the environment of the command: put it back here.
    for name in (*environ, "KEYTURN_SERVICE_NAME"):
        shell.setenv(name, "")
        shell.delenv(name)
    assert load_or_fail().service_name == "noted"
    assert ".keyturn/running.env" in capsys.readouterr().err


def test_the_note_is_for_its_owner_alone_and_is_taken_away(tmp_path):
    folder = tmp_path / "data"
    assert read_running(folder) == {}
    write_running(folder, {"KEYTURN_B": "2=3", "KEYTURN_A": "1"})
    write_running(folder, {"KEYTURN_B": "2=3", "KEYTURN_A": "1"})
    assert read_running(folder) == {"KEYTURN_A": "1", "KEYTURN_B": "2=3"}
    assert (folder / RUNNING_FILE).stat().st_mode & 0o777 == 0o600
    for _ in range(2):
        remove_running(folder)
    assert list(folder.iterdir()) == []
