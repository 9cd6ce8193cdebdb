"""What importing the library costs and brings along, and what its users' type checkers see."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import keyturn

ROOT = Path(__file__).resolve().parents[2]
IMPORT_SECONDS = 0.150
STRANGERS = {"service", "fastapi", "starlette", "flask", "django", "pydantic", "pytest", "aioboto3", "botocore"}
MISTAKES = """
from keyturn import Owns, Verifier
guard = Verifier(issuer="https://auth.example.com", audience="a")
guard.verify(7)
guard.verify("x").subjet
guard.leeway = 5
Verifier("https://auth.example.com", "a", leeway="2")
Owns(7)
from keyturn import Nothing
"""
MISTAKES_IN_SITES = """
from django.http import HttpRequest
from fastapi import FastAPI
from flask import Flask
from keyturn import Principal, RevocationFeed, Verifier
from keyturn.dynamodb import owned_key
from keyturn.fastapi import Guard
from keyturn.flask import Guard as FlaskGuard
from keyturn.flask import current_principal
from keyturn.websession.flows import Sessions
verifier = Verifier("https://auth.example.com", "a")
guard, app = Guard(verifier), FastAPI()
Guard("https://auth.example.com")
guard.signed_in.subject
def me(caller: str = guard.signed_in) -> str: return caller
def note(found: Principal = guard.requires("notes")) -> Principal: return found
guard.requires(7)
guard.requires("notes", max_age_seconds="300")
guard.owns(7)
guard.owns("user_id", or_scope=7)
FlaskGuard(verifier, app)
current_principal.subjet
FlaskGuard(verifier).owns("user_id", info="note")
RevocationFeed("https://auth.example.com", key=b"x")
owned_key("ada")
Sessions(table="sessions")
"""


def python(program):
    """What a fresh interpreter prints; nothing measures its coverage, which would take its time."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_by(statement):
    """The top-level modules and those of the library that ``statement`` brings in."""
    names = python(f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)").split()
    return {name if name.startswith("keyturn") else name.partition(".")[0] for name in names}


@pytest.mark.parametrize("statement", ["import keyturn", "from keyturn import Verifier, Owns, Requirement, answer_to"])
def test_the_library_is_imported_in_less_than_150_ms(statement):
    # This process's own time: the machine's other work is not the library's.
    clock = "import time; began = time.process_time()"
    runs = [float(python(f"{clock}; {statement}; print(time.process_time() - began)")) for _ in range(5)]
    assert statistics.median(runs) < IMPORT_SECONDS


def test_the_package_alone_brings_in_nothing_of_its_own():
    assert {name for name in imported_by("import keyturn") if name.startswith("keyturn")} == {"keyturn"}


def test_a_verifier_brings_in_no_client_no_loop_and_no_stranger_before_it_needs_them():
    brought = imported_by("from keyturn import Verifier; Verifier('https://auth.example.com', 'a')")
    assert "keyturn.guard" in brought
    assert not brought & (STRANGERS | {"httpx", "jwt", "asyncio"})


def test_verifying_brings_in_no_stranger():
    brought = imported_by(
        "from keyturn.testing.issuer import OfflineIssuer; i = OfflineIssuer(); i.verifier().verify(i.token_for('u'))"
    )
    assert "jwt" in brought
    assert not brought & (STRANGERS | {"httpx"})


def test_the_pytest_plugin_brings_in_nothing_but_itself():
    """It is loaded in every test run of every project that has the library installed."""
    brought = imported_by("import pytest; before = set(sys.modules); import keyturn.testing.plugin")
    own = {name for name in brought if name.startswith("keyturn")}
    assert own == {"keyturn", "keyturn.testing", "keyturn.testing.plugin"}
    assert not brought & {"cryptography", "jwt", "httpx"}


def test_each_public_name_is_there_and_no_other():
    for name in keyturn.__all__:
        assert getattr(keyturn, name) is not None
        assert name in dir(keyturn)
    with pytest.raises(AttributeError, match="Nothing"):
        keyturn.Nothing  # noqa: B018 - looking it up is the test
    assert keyturn.errors is import_module("keyturn.errors")


def mypy(program):
    """The errors that ``mypy --strict`` finds in a user's file. The project's own settings are strict, and cached."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode in {0, 1}, done.stderr
    return [line for line in done.stdout.splitlines() if ": error:" in line]


@pytest.mark.parametrize("program", ["typed_program.py", "typed_sites.py"])
def test_a_program_of_a_user_passes_mypy_in_strict_mode(program):
    assert mypy(ROOT / "tests/guard" / program) == []


@pytest.mark.parametrize(("mistakes", "first"), [(MISTAKES, 4), (MISTAKES_IN_SITES, 13)], ids=["core", "sites"])
def test_each_mistake_of_a_user_is_found_by_mypy(tmp_path, mistakes, first):
    program = tmp_path / "mistakes.py"
    program.write_text(mistakes)
    found = {int(line.split(":")[1]) for line in mypy(program)}
    assert found == set(range(first, len(mistakes.splitlines()) + 1))
