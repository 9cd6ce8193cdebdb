"""The command as somebody meets it for the first time."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from service import command
from service.cli.openapi import render

COMMANDS = [
    [],
    ["dev"],
    ["serve"],
    ["openapi"],
    ["migrate"],
    ["migrate", "up"],
    ["migrate", "status"],
    ["migrate", "plan"],
    ["migrate", "check"],
    ["keys"],
    ["keys", "list"],
    ["keys", "rotate"],
    ["keys", "retire"],
    ["users"],
    ["users", "create"],
    ["users", "disable"],
    ["users", "enable"],
    ["users", "lock"],
    ["users", "unlock"],
    ["users", "delete"],
    ["events"],
]


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(invoke, name, flag):
    status, out, _ = invoke(*name, flag)
    assert status == 0
    sentence = next(line for line in out.splitlines()[2:] if line.strip(" │").strip())
    assert len(sentence.split()) >= 4, out
    for line in out.splitlines():
        if "--" in line and "│" in line and "--help" not in line:
            assert len(line.strip("│ ").split("  ")[-1].split()) >= 2, f"no word about {line}"


@pytest.mark.parametrize("name", [[], ["keys"], ["users"], ["migrate"]], ids=" ".join)
def test_a_command_without_its_word_shows_what_there_is(invoke, name):
    status, out, err = invoke(*name)
    assert status in {0, 2}
    assert "Commands" in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["dev", "--port", "http"],
        ["dev", "--engine", "sqlite"],
        ["serve", "--workers", "0"],
        ["keys", "retire"],
        ["keys", "destroy"],
        ["users", "create"],
        ["users", "disable"],
        ["openapi", "--nonsense"],
        ["events", "--day", "yesterday"],
        ["events", "--kind", "nonsense"],
        ["events", "--day", "2026-11-26", "--since", "2026-11-26"],
        ["events", "--until", "2026-11-26"],
    ],
    ids=" ".join,
)
def test_a_usage_error_is_status_2_and_no_traceback(invoke, arguments):
    status, _, err = invoke(*arguments)
    assert status == 2
    assert "Traceback" not in err
    assert err


@pytest.mark.parametrize(
    "arguments", [["keys", "list"], ["users", "disable", "ada"], ["migrate", "status"], ["events"], ["serve"]]
)
def test_without_settings_each_missing_one_is_a_line(invoke, arguments):
    status, out, err = invoke(*arguments)
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == [
        "KEYTURN_ISSUER",
        "KEYTURN_REFRESH_KEYS",
        "KEYTURN_KEY_ENCRYPTION_KEYS",
        "KEYTURN_IDENTITY_KEY",
    ]
    assert all(line.startswith("keyturn: ") for line in lines)


def test_openapi_prints_the_document(invoke):
    assert invoke("openapi") == (0, render(), "")


def test_openapi_check_compares(invoke, tmp_path):
    file = tmp_path / "api.yaml"
    status, out, err = invoke("openapi", "--check", file)
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    file.write_text(render())
    assert invoke("openapi", "--check", file) == (0, "", "")
    file.write_text(render().replace("Who am I?", "Who are you?"))
    status, _, err = invoke("openapi", "--check", file)
    assert status == 1
    assert "keyturn openapi >" in err


@pytest.mark.parametrize("missing", ["typer", "aioboto3"])
def test_without_the_service_extra_the_command_says_what_to_install(monkeypatch, capsys, missing):
    real = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == missing else real(name))
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "keyturn: the service is not installed here; install it with: pip install 'keyturn[service]'\n"


def test_the_door_of_the_command_needs_nothing_that_may_be_missing():
    """It is imported where only the guard library's dependencies are."""
    source = import_module("inspect").getsource(command)
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))
    }
    assert imported - {"__future__"} <= set(sys.stdlib_module_names)


def test_with_everything_there_the_door_opens(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["keyturn", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 0
    assert "dev" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["keys", "list"], ["users", "enable", "ada"], ["migrate", "up"]])
def test_a_store_without_tables_or_away_is_one_line(invoke, environ, engine_url, monkeypatch, arguments):
    for name, value in {**environ, "KEYTURN_STORE_DEADLINE_SECONDS": "1"}.items():
        monkeypatch.setenv(name, value)
    if arguments[0] == "migrate":
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    status, out, err = invoke(*arguments)
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1, err
    assert err.startswith("keyturn")


def test_no_region_is_one_line_with_its_cure(invoke, environ, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_REGION")
    status, _, err = invoke("keys", "list")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "AWS_REGION" in err
