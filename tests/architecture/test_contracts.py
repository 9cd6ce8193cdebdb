"""The contracts of import-linter: kept, and able to break."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

BREAKAGES = {
    "Features stand on each other in one order": ("service/kernel/ids.py", "import service.store.table"),
    "The guard library knows nothing of the service": ("keyturn/claims.py", "import service.errors"),
    "Inside a feature routes stand on flows, flows on repositories, repositories on the model": (
        "service/accounts/model.py",
        "import service.accounts.repo",
    ),
    "One journey, one file: journeys do not call each other": (
        "service/accounts/close.py",
        "import service.accounts.register",
    ),
    "Rules are pure: no network, no store, no web, no clock, no chance": ("service/kernel/text.py", "import time"),
    "Flows, repositories and rules never see the web framework": ("service/mail/outbox.py", "import fastapi"),
    "AWS's asynchronous client has one door for each service: DynamoDB, and SES": (
        "service/users/repo.py",
        "import aioboto3",
    ),
    "DynamoDB's synchronous client has one door: the table of web sessions": (
        "keyturn/websession/flows.py",
        "import boto3",
    ),
    "Web sessions stand in one order, frameworks on top": (
        "keyturn/websession/ids.py",
        "import keyturn.websession.flows",
    ),
    "Only the adapters of web sessions see a framework": ("keyturn/websession/people.py", "import flask"),
    "Only the adapters see a framework, and nothing stands on them": ("keyturn/guard.py", "import keyturn.starlette"),
    "Flask has its doors in the adapters": ("keyturn/ownership.py", "import flask"),
    "Django has its doors in the adapters": ("keyturn/ownership.py", "import django.http"),
    "The adapter for Django stands in one order": ("keyturn/django/conf.py", "import keyturn.django.views"),
    "The lean client is opened by the door to DynamoDB alone": ("service/base.py", "import service.store.lean.client"),
    "Answers of HTTP are parsed in one place": ("service/mail/smtp.py", "import httptools"),
    "passlib has one door, and its handlers of ours": ("service/signin/flows.py", "import passlib.context"),
    "libsodium has one door": ("service/passwords/hasher.py", "import nacl.bindings"),
    "PyJWT has two doors: the signer, and the guard library's verifier": ("service/sessions/issue.py", "import jwt"),
    "Only the edge reads settings": ("service/users/flows.py", "import service.settings"),
    "slowapi has one door": ("service/throttle/limiter.py", "import slowapi"),
}


def contracts(root):
    document = tomllib.loads((root / "pyproject.toml").read_text())
    return [contract["name"] for contract in document["tool"]["importlinter"]["contracts"]]


def lint(folder):
    """Exit status, and each contract's word."""
    program = Path(sys.executable).with_name("lint-imports")
    environ = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", "PYTHONPATH": str(folder)}
    run = subprocess.run(
        [program, "--no-cache"], cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    return run.returncode, dict(re.findall(r"^(.+) (KEPT|BROKEN)", run.stdout, re.MULTILINE)), run.stdout + run.stderr


@pytest.fixture
def copy(root, tmp_path):
    ignore = shutil.ignore_patterns("__pycache__", "data", "templates")
    for name in ("keyturn", "service"):
        shutil.copytree(root / name, tmp_path / name, ignore=ignore)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(root):
    status, words, output = lint(root)
    assert status == 0, output
    assert words == dict.fromkeys(contracts(root), "KEPT")


def test_every_contract_can_break(root, copy):
    """One forbidden import each, in a copy: a contract that could not fail would say nothing."""
    for path, line in BREAKAGES.values():
        file = copy / path
        file.write_text(f"{file.read_text()}\n\n{line}\n")
    status, words, output = lint(copy)
    assert status == 1, output
    assert set(contracts(root)) == set(BREAKAGES), "a new contract: add an import that breaks it"
    assert {name: words.get(name) for name in BREAKAGES} == dict.fromkeys(BREAKAGES, "BROKEN"), output


def test_a_folder_that_nobody_put_in_its_place_is_refused(copy):
    (copy / "service/misc").mkdir()
    (copy / "service/misc/__init__.py").write_text("")
    status, _, output = lint(copy)
    assert status == 1
    assert "misc" in output
