"""``keyturn keys``: look after the signing keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import fail, with_base

if TYPE_CHECKING:
    from service.audit.event import EventKind
    from service.base import Base
    from service.tokens.keyring import KeyRing
    from service.tokens.model import KeyRecord, Phase

keys_app = typer.Typer(no_args_is_help=True, help="List, rotate and retire signing keys.")


@keys_app.command(name="list")
def list_keys() -> None:
    """List the keys: algorithm, name, where each is in its life, and when it begins to sign."""
    for line in with_base(_list):
        typer.echo(line)


@keys_app.command()
def rotate(
    now: Annotated[bool, typer.Option("--now", help="Sign with the new key at once: for emergencies.")] = False,
) -> None:
    """Make the next key. It is published at once and signs after KEYTURN_KEY_PUBLISH_AHEAD_SECONDS."""
    typer.echo(with_base(lambda base: _rotate(base, now=now)))


# One name in 64 begins with a dash.
@keys_app.command(context_settings={"ignore_unknown_options": True})
def retire(kid: Annotated[str, typer.Argument(help="The key's name, as `keyturn keys list` shows it.")]) -> None:
    """Take a key out of use and out of the key set at once; tokens that it signed are refused from then on."""
    typer.echo(with_base(lambda base: _retire(base, kid)))


async def _list(base: Base) -> list[str]:
    from service.base import build_keyring

    keyring = build_keyring(base)
    records = await keyring.repo.all()
    return [
        f"{one.algorithm.value:6} {one.kid}  {_phase(keyring, one, records):8} begins {_time(one.begins_ms)}"
        for one in records
    ]


async def _keep(base: Base, kind: EventKind) -> None:
    from service.audit.event import Agent, Event
    from service.cli.context import keep_event

    await keep_event(base, Event(kind=kind, outcome="ok", actor=Agent.OPERATOR, alarming=True))


async def _rotate(base: Base, *, now: bool) -> str:
    from service.audit.event import EventKind
    from service.base import build_keyring

    keyring = build_keyring(base)
    # What is due is made first, or it would begin after this one and take its place.
    await keyring.refresh()
    begins_ms = base.clock.now_ms() + (0 if now else keyring.life.publish_ahead_ms)
    record = await keyring.rotate(begins_ms=begins_ms)
    if record is None:
        fail("another process made the next key at the same moment; see: keyturn keys list")
    await _keep(base, EventKind.KEY_ROTATE)
    return f"{record.kid} begins {_time(record.begins_ms)}"


async def _retire(base: Base, kid: str) -> str:
    from service.audit.event import EventKind
    from service.base import build_keyring
    from service.tokens.model import Phase

    keyring = build_keyring(base)
    records = await keyring.repo.all()
    record = next((one for one in records if one.kid == kid), None)
    if record is None:
        fail(f"there is no key {kid!r}; see: keyturn keys list")
    if _phase(keyring, record, records) is Phase.ACTIVE:
        fail("this key signs at the moment; make another first with: keyturn keys rotate --now")
    await keyring.repo.mark_bad(record)
    await _keep(base, EventKind.KEY_RETIRE)
    return f"{kid} is retired"


def _phase(keyring: KeyRing, record: KeyRecord, records: tuple[KeyRecord, ...]) -> Phase:
    from service.tokens.model import phase

    now_ms = keyring.clock.now_ms()
    return phase(record, records, life=keyring.life, algorithm=keyring.algorithm, now_ms=now_ms)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, tz=UTC).isoformat()
