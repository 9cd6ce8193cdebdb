"""The command run in this process, on the engine of the session."""

from __future__ import annotations

import asyncio
import os

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from service.base import open_base
from service.cli.main import app
from service.settings import load
from service.telemetry.metrics import Metrics
from tests.support.tables import make_tables


@pytest.fixture
def invoke(monkeypatch, tmp_path):
    """Exit status, standard output, standard error; in an empty folder, with nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KEYTURN_") and name != "KEYTURN_ENGINES_DIR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")

    def run(*arguments, stdin=None):
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


@pytest.fixture
def keyturn(invoke, engine_url, environ, monkeypatch):
    """The same on migrated tables, with the settings of ``environ`` and on the machine's clock."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    async def migrate():
        async with open_base(load(environ), Metrics(registry=CollectorRegistry())) as base:
            await make_tables(base)

    asyncio.run(migrate())
    return invoke
