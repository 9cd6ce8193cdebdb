"""An operator at the ``keyturn`` command, beside a service that runs on the same tables."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from service.cli.main import app


@pytest.fixture
def keyturn(engine_url, environ):
    """Exit status, standard output and standard error of one command; it opens a store of its own, in a thread."""

    async def run(*arguments):
        # The variables of the runner are those of the process while the command runs; a service has read its own.
        result = await asyncio.to_thread(CliRunner(env=environ).invoke, app, [str(one) for one in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run
