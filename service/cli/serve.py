"""``keyturn serve``: the service, as it runs in production."""

from __future__ import annotations

import asyncio
import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import fail, say, serving_settings_or_fail

if TYPE_CHECKING:
    from service.settings import Settings

_MANAGEMENT_PORT = 9464


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    migrate: Annotated[bool, typer.Option("--migrate", help="Apply pending migrations first.")] = False,
) -> None:
    """Serve on DynamoDB, with settings from the environment."""
    settings = serving_settings_or_fail()
    if migrate:
        asyncio.run(_migrate())
    if workers == 1:
        _one(host, port)
    else:
        _many(settings, host, port, workers)


def _one(host: str, port: int) -> None:
    from service.cli.server import Announcing, server_config, start_management
    from service.settings import load
    from service.workers import worker_app

    app = worker_app()
    metrics_url = start_management(load(os.environ), app.state.registry, default_port=_MANAGEMENT_PORT)
    server = Announcing(server_config(app, host=host, port=port), greeting=[f"Metrics: {metrics_url}"])
    server.run()
    if not server.started:
        fail("the server did not start")


def _many(settings: Settings, host: str, port: int, workers: int) -> None:
    """Uvicorn's own supervisor; each worker counts into files, and the management port adds them up."""
    with tempfile.TemporaryDirectory(prefix="keyturn-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector
        from uvicorn.supervisors import Multiprocess

        from service.cli.server import server_config, start_management
        from service.passwords.pool import share_of_cores, usable_cores
        from service.workers import worker_app

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        start_management(settings, registry, default_port=_MANAGEMENT_PORT)
        # What a worker may hash at a time is said to it: none can know how many others share the cores.
        slots = settings.hash_slots or share_of_cores(workers, cores=usable_cores())
        app = partial(worker_app, hash_slots=slots)
        config = server_config(app, host=host, port=port, factory=True, workers=workers)
        sockets = [config.bind_socket()]
        say(f"Serving with {workers} workers on {host}:{port}.")
        Multiprocess(config, sockets=sockets).run()


async def _migrate() -> None:
    from service.cli.context import open_migrate_context
    from service.migrate.errors import MigrationError
    from service.migrate.runner import apply_all
    from service.store.errors import StoreError

    async with open_migrate_context() as context:
        try:
            await apply_all(context)
        except (MigrationError, StoreError) as error:
            fail(str(error))
