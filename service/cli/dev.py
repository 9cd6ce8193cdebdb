"""``keyturn dev``: the whole service on a laptop, with an embedded DynamoDB engine and a mail sink."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import DEFAULT_DATA, fail, say, serving_settings_or_fail
from service.cli.dev_settings import brings_its_own_store, dev_variables, engine_variables
from service.cli.running import NOTED, remove_running, write_running
from service.engines.port import EngineChoice

if TYPE_CHECKING:
    from uvicorn import Server

    from service.engines.process import EngineProcess
    from service.settings import Settings

_WATCH_SECONDS = 0.5


def dev(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Where everything that it writes is kept.")] = DEFAULT_DATA,
    engine: Annotated[EngineChoice, typer.Option(help="Which engine; auto takes the fastest that is there.")] = "auto",
) -> None:
    """Run the service on this machine, with an embedded DynamoDB engine.

    Mail goes to DIR/mail and can be read at /dev/mail. With AWS_ENDPOINT_URL_DYNAMODB or AWS credentials in the
    environment no engine is started.
    """
    from service.engines.errors import EngineError
    from service.migrate.errors import MigrationError
    from service.store.errors import StoreError

    if not _is_free(host, port):
        fail(f"{host}:{port} is in use; choose another with --port, or 0 for any")
    port = port or _free_port(host)
    try:
        data.mkdir(parents=True, exist_ok=True)
        asyncio.run(_main(host=host, port=port, data=data, engine=engine))
    except (EngineError, MigrationError, StoreError, OSError) as error:
        fail(str(error))
    except asyncio.CancelledError:
        say("Stopped.")


async def _main(*, host: str, port: int, data: Path, engine: EngineChoice) -> None:
    from service.kernel.entropy import SystemEntropy

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio.run runs tasks
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        process = None
        if chosen := brings_its_own_store(os.environ):
            say(f"{chosen} is set: using that DynamoDB, no engine is started.")
        else:
            process = await _start_engine(stack, engine, data)
            os.environ.update(engine_variables(process.endpoint_url))
        if process is None and "AWS_ENDPOINT_URL_DYNAMODB" not in os.environ:
            # A real account may have tables of the default prefix, and they are not this laptop's.
            os.environ.setdefault("KEYTURN_TABLE_PREFIX", "keyturn-dev")
        for name, value in dev_variables(host=host, port=port, data=data, entropy=SystemEntropy()).items():
            os.environ.setdefault(name, value)
        settings = serving_settings_or_fail()
        write_running(data, {name: value for name, value in os.environ.items() if name.startswith(NOTED)})
        stack.callback(remove_running, data)
        await _migrate(settings)
        # The server handles these itself while it serves, and raises them again when it is done.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            signal.signal(number, lambda _number, _frame: None)
        await _serve(settings, process, host=host, port=port, data=data)


async def _start_engine(stack: AsyncExitStack, name: EngineChoice, data: Path) -> EngineProcess:
    from service.engines.process import EngineProcess
    from service.engines.registry import choose

    chosen = choose(name, data_dir=data)
    process = await stack.enter_async_context(EngineProcess(chosen, data_dir=data))
    say(f"DynamoDB engine: {chosen.name} at {process.endpoint_url}, state in {data}.")
    return process


async def _migrate(settings: Settings) -> None:
    from prometheus_client import CollectorRegistry

    from service.base import open_base
    from service.cli.context import migrate_context
    from service.cli.migrate_output import progress_listener
    from service.migrate.runner import apply_all
    from service.store.client import is_on_loopback
    from service.telemetry.metrics import Metrics

    async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
        with progress_listener() as listener:
            await apply_all(migrate_context(base, embedded=is_on_loopback(base.dynamo.client)), listener)


async def _serve(settings: Settings, process: EngineProcess | None, *, host: str, port: int, data: Path) -> None:
    from service.cli.dev_mail import dev_mail_router
    from service.cli.server import Announcing, server_config, start_management
    from service.workers import worker_app

    app = worker_app()
    mail_url = settings.mail_url.get_secret_value()
    if mail_url.startswith("maildir:"):
        app.include_router(dev_mail_router(Path(mail_url.removeprefix("maildir:"))))
    metrics_url = start_management(settings, app.state.registry, default_port=_free_port("127.0.0.1"))
    greeting = [
        f"Mail: {settings.issuer}/dev/mail, kept in {data / 'mail'}",
        f"Metrics: {metrics_url}",
        f"Keyturn is ready at {settings.issuer}",
    ]
    server = Announcing(server_config(app, host=host, port=port), greeting=greeting)
    watching = asyncio.create_task(_watch(process, server))
    await server.serve()
    watching.cancel()
    if process is not None and process.exit_code() is not None:
        fail(f"the engine has ended:\n{process.log_tail()}")


async def _watch(process: EngineProcess | None, server: Server) -> None:
    """Stop serving when the engine ends: without its store the service can do nothing."""
    while process is not None and process.exit_code() is None:  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(_WATCH_SECONDS)
    server.should_exit = process is not None


def _is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now: asked first, so that nothing is started in vain."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host or "127.0.0.1", 0))
        return int(probe.getsockname()[1])
