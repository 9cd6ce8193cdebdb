"""What every command shares: settings from the environment or from a running ``keyturn dev``, and one-line errors."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

from service.cli.running import RUNNING_FILE, read_running
from service.engines.cache import ENGINES_DIR_VARIABLE
from service.errors import Invalid, KeyturnError
from service.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from service.audit.event import Event
    from service.base import Base
    from service.migrate.context import MigrateContext

T = TypeVar("T")

DEFAULT_DATA = Path(".keyturn")
EXIT_FAILED = 1
EXIT_USAGE = 2
_DRAIN_SECONDS = 5.0


def fail(message: str, *, code: int = EXIT_FAILED) -> NoReturn:
    """End the command with one line on standard error."""
    typer.echo(f"keyturn: {message}", err=True)
    raise typer.Exit(code)


def say(message: str) -> None:
    """A remark that is not the command's result."""
    typer.echo(message, err=True)


def load_or_fail(*, may_join_dev: bool = True) -> Settings:
    """The settings of the environment. Ends the command, naming each problem, when they do not hold.

    Where none are set and ``keyturn dev`` runs in this folder, an operator's command takes its settings; never a
    server, which would start as something else than it was meant to be.
    """
    if may_join_dev and not any(name.startswith("KEYTURN_") and name != ENGINES_DIR_VARIABLE for name in os.environ):
        _join_dev()
    try:
        return load(os.environ)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"keyturn: {problem}", err=True)
        raise typer.Exit(EXIT_FAILED) from None


def _join_dev() -> None:
    running = read_running(DEFAULT_DATA)
    if running:
        say(f"Using the service that `keyturn dev` runs here ({DEFAULT_DATA / RUNNING_FILE}).")
        os.environ.update(running)


def serving_settings_or_fail() -> Settings:
    """The settings of a server; what carries mail is tried too, which it would only do while it starts."""
    from service.mail.addresses import AddressRefused, parse_mailbox
    from service.mail.url import MailUrlRefused, sender_from_url

    settings = load_or_fail(may_join_dev=False)
    try:
        sender_from_url(settings.mail_url.get_secret_value())
    except MailUrlRefused as error:
        fail(f"KEYTURN_MAIL_URL: {error}")
    try:
        parse_mailbox(settings.mail_from or "nobody@localhost.localdomain")
    except AddressRefused as error:
        fail(f"KEYTURN_MAIL_FROM: {error}")
    if settings.mail_templates and not Path(settings.mail_templates).is_dir():
        fail("KEYTURN_MAIL_TEMPLATES: must be a folder")
    return settings


def with_base(work: Callable[[Base], Awaitable[T]]) -> T:
    """Run ``work`` on an opened store; the errors of the service become one line."""
    from prometheus_client import CollectorRegistry

    from service.base import open_base
    from service.telemetry.logging import configure
    from service.telemetry.metrics import Metrics

    settings = load_or_fail()
    # A command's output is its result: what the service would log is said only when something is wrong.
    configure(style="console", level=logging.ERROR)

    async def run() -> T:
        async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
            return await work(base)

    try:
        return asyncio.run(run())
    except Invalid as error:
        fail("; ".join(f"{one.field}: {one.message}" for one in error.errors))
    except KeyturnError as error:
        fail(f"{error.title} ({error.detail_for_log or error.code})")


async def keep_event(base: Base, event: Event) -> None:
    """Write what an operator did to the audit log, before the command says that it is done."""
    from service.audit.fanout import Fanout
    from service.audit.log import AuditLog
    from service.base import build_audit_table

    table = build_audit_table(base)
    await Fanout(log=AuditLog(metrics=base.metrics), table=table).keep(event)
    if lost := await table.drain(_DRAIN_SECONDS):
        say(f"keyturn: {lost} audit event could not be written; see the log of the store")


def migrate_context(base: Base, *, embedded: bool) -> MigrateContext:
    """What migrations need, on an opened store."""
    from service.migrate.context import MigrateContext
    from service.store.control import Control

    return MigrateContext(
        control=Control(
            client=base.dynamo.client,
            names=base.dynamo.names,
            clock=base.clock,
            deadline_seconds=base.dynamo.deadline_seconds,
        ),
        dynamo=base.dynamo,
        clock=base.clock,
        entropy=base.entropy,
        embedded=embedded,
        kms_key_id=base.settings.kms_key_id or None,
    )


@asynccontextmanager
async def open_migrate_context() -> AsyncIterator[MigrateContext]:
    """The context of ``keyturn migrate``; a store on loopback is an embedded engine."""
    from prometheus_client import CollectorRegistry

    from service.base import open_base
    from service.store.client import is_on_loopback
    from service.telemetry.metrics import Metrics

    settings = load_or_fail()
    async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
        yield migrate_context(base, embedded=is_on_loopback(base.dynamo.client))
