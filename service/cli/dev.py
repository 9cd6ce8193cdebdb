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

from service.cli.context import DEFAULT_DATA, fail, load_or_fail, say
from service.cli.dev_settings import brings_its_own_store, dev_variables, engine_variables
from service.cli.running import remove_running, write_running
from service.engines.port import EngineChoice

if TYPE_CHECKING:
    from service.settings import Settings

_NOTED = (
    "KEYTURN_",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_EC2_METADATA",
)


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

    port = port or _free_port(host)
    data.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_main(host=host, port=port, data=data, engine=engine))
    except EngineError as error:
        fail(str(error))
    except asyncio.CancelledError:
        say("Stopped.")
    finally:
        remove_running(data)


async def _main(*, host: str, port: int, data: Path, engine: EngineChoice) -> None:
    from service.kernel.entropy import SystemEntropy

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio.run runs tasks
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        chosen = brings_its_own_store(os.environ)
        if chosen is None:
            os.environ.update(await _start_engine(stack, engine, data))
        else:
            say(f"{chosen} is set: using that DynamoDB, no engine is started.")
        for name, value in dev_variables(host=host, port=port, data=data, entropy=SystemEntropy()).items():
            os.environ.setdefault(name, value)
        settings = load_or_fail()
        write_running(data, {name: value for name, value in os.environ.items() if name.startswith(_NOTED)})
        await _migrate(settings, embedded=chosen is None)
        await _serve(settings, host=host, port=port, data=data)
        # The server handles these itself while it serves and raises them again when it is done.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _start_engine(stack: AsyncExitStack, name: EngineChoice, data: Path) -> dict[str, str]:
    from service.engines.process import EngineProcess
    from service.engines.registry import choose

    chosen = choose(name, data_dir=data)
    process = await stack.enter_async_context(EngineProcess(chosen, data_dir=data))
    say(f"DynamoDB engine: {chosen.name} at {process.endpoint_url}, state in {data}.")
    return engine_variables(process.endpoint_url)


async def _migrate(settings: Settings, *, embedded: bool) -> None:
    from prometheus_client import CollectorRegistry

    from service.base import open_base
    from service.cli.context import migrate_context
    from service.cli.migrate_output import progress_listener
    from service.migrate.runner import apply_all
    from service.telemetry.metrics import Metrics

    async with open_base(settings, Metrics(registry=CollectorRegistry())) as base:
        with progress_listener() as listener:
            await apply_all(migrate_context(base, embedded=embedded), listener)


async def _serve(settings: Settings, *, host: str, port: int, data: Path) -> None:
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
    await Announcing(server_config(app, host=host, port=port), greeting=greeting).serve()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host if host not in {"localhost", ""} else "127.0.0.1", 0))
        return int(probe.getsockname()[1])
