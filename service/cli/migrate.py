"""``keyturn migrate up|status|plan|check``. Exit status: 0 fine; 1 drift, pending or failed; 2 usage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

# The rest is imported by the command that needs it: this module is loaded by every command, also by a server.
if TYPE_CHECKING:
    from service.migrate.context import MigrateContext
    from service.migrate.steps import Backfill

OpenContext: TypeAlias = "Callable[[], AbstractAsyncContextManager[MigrateContext]]"
Command: TypeAlias = "Callable[[MigrateContext], Coroutine[Any, Any, bool]]"

_SampleItems = Annotated[
    int, typer.Option("--sample", min=0, metavar="ITEMS", help="Try pending backfills on so many items, read only.")
]


def migrate_app(open_context: OpenContext) -> typer.Typer:
    """The sub-application; ``open_context`` is entered once a command, and left at its end."""
    app = typer.Typer(no_args_is_help=True, help="Bring the tables to the state that this release needs.")

    @app.command("up")
    def up() -> None:
        """Apply what is pending. Safe to run anywhere, at once, and again."""
        _run(open_context, _up)

    @app.command("status")
    def status() -> None:
        """List what is applied, pending and changed; exit status 1 unless everything is applied."""
        _run(open_context, _status)

    @app.command("plan")
    def plan(sample_items: _SampleItems = 0) -> None:
        """Print what `up` would do, and write nothing."""
        _run(open_context, lambda context: _plan(context, sample_items))

    @app.command("check")
    def check_drift() -> None:
        """Compare the tables with what was declared; exit status 1 when they differ. Repairs nothing."""
        _run(open_context, _check)

    return app


def _run(open_context: OpenContext, command: Command) -> None:
    from service.migrate.errors import MigrationError
    from service.store.errors import StoreError

    async def work() -> bool:
        async with open_context() as context:
            return await command(context)

    try:
        is_fine = asyncio.run(work())
    except (MigrationError, StoreError) as error:
        typer.echo(f"keyturn migrate: {error}", err=True)
        raise typer.Exit(1) from error
    if not is_fine:
        raise typer.Exit(1)


async def _up(context: MigrateContext) -> bool:
    from service.cli.migrate_output import progress_listener
    from service.migrate.runner import apply_all

    with progress_listener() as listener:
        report = await apply_all(context, listener)
    if not report.applied:
        typer.echo("nothing to do")
    return True


async def _status(context: MigrateContext) -> bool:
    from service.migrate.runner import make_plan

    plan = await make_plan(context)
    for migration, record in plan.applied:
        state = "applied" if migration.sha256 == record.sha256 else "changed"
        typer.echo(f"{state}  {migration.name}")
    for migration in plan.pending:
        typer.echo(f"pending  {migration.name}")
    for problem in plan.problems:
        typer.echo(f"problem: {problem}", err=True)
    return not plan.pending and not plan.problems


async def _plan(context: MigrateContext, sample_items: int) -> bool:
    from service.migrate.runner import make_plan
    from service.migrate.steps import Backfill

    plan = (await make_plan(context)).sound()
    if not plan.pending:
        typer.echo("nothing to do")
    for migration in plan.pending:
        typer.echo(migration.name)
        for step in migration.steps:
            typer.echo(f"  {step}")
            if isinstance(step, Backfill) and sample_items:
                await _print_sample(context, step, sample_items)
    return True


async def _print_sample(context: MigrateContext, step: Backfill, items: int) -> None:
    from service.migrate.sample import sample

    result = await sample(step, context.control, items)
    typer.echo(
        f"    of {result.scanned} item(s): {result.would_change} would change, {len(result.reasons)} would be refused"
    )
    for reason in sorted(set(result.reasons)):
        typer.echo(f"    {result.reasons.count(reason)} x {reason}")


async def _check(context: MigrateContext) -> bool:
    from service.migrate.drift import Severity
    from service.migrate.runner import check

    report = await check(context)
    for finding in report.findings:
        typer.echo(f"{finding.severity}: {finding}", err=finding.severity is Severity.DRIFT)
    for name in report.pending:
        typer.echo(f"pending: {name}", err=True)
    if report.is_clean:
        typer.echo("the tables are as declared")
    return report.is_clean
