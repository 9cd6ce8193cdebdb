"""What operators do to accounts, by the same code as ``keyturn users``."""

from __future__ import annotations

from service.audit.event import EventKind
from service.cli.users import _create, _delete, _set_state
from service.users.model import StateChange
from tests.support.journeys.stage import Command, Journey
from tests.support.people import PASSWORD, sign_in


def _by(change, kind):
    def on(email):
        return lambda base: _set_state(base, email, change, kind)

    return on


DISABLE = _by(StateChange.DISABLE, EventKind.USER_DISABLE)
LOCK = _by(StateChange.LOCK, EventKind.USER_LOCK)
ENABLE = _by(StateChange.ENABLE, EventKind.USER_ENABLE)
UNLOCK = _by(StateChange.UNLOCK, EventKind.USER_UNLOCK)


def _closing_the_door(command):
    async def prepare(stage):
        tokens = await stage.signed_up()
        return Command(command(stage.email)), (command(stage.email), tokens)

    return prepare


async def _is_refused(stage, known, done):
    command, tokens = known
    if not done:
        await command(stage.base)
    assert not await stage.opens(PASSWORD)
    assert not await stage.is_alive(tokens)
    assert await stage.guards_refuse(tokens)


def _opening_the_door(close, command):
    async def prepare(stage):
        tokens = await stage.signed_up()
        await close(stage.email)(stage.base)
        return Command(command(stage.email)), (command(stage.email), tokens)

    return prepare


async def _is_let_in(stage, known, done):
    command, tokens = known
    if not done:
        await command(stage.base)
    assert not await stage.is_alive(tokens), "what was ended stays so"
    await sign_in(stage.again, stage.email)


async def _deleting(stage):
    tokens = await stage.signed_up()
    user_id = await stage.user_id(tokens)
    return Command(lambda base: _delete(base, stage.email)), (user_id, tokens)


async def _is_deleted_or_can_be(stage, known, done):
    user_id, tokens = known
    if not done and await stage.is_alive(tokens):
        await _delete(stage.base, user_id)
    assert not await stage.is_alive(tokens)
    await stage.make_account()


async def _creating(stage):
    return Command(lambda base: _create(base, email=stage.email, username=None, password=PASSWORD, scope="")), None


async def _is_created_or_can_be(stage, _, done):
    if not done and not await stage.opens(PASSWORD):
        await _create(stage.base, email=stage.email, username=None, password=PASSWORD, scope="")
    await sign_in(stage.again, stage.email)


COMMANDS = [
    Journey("disable", _closing_the_door(DISABLE), _is_refused),
    Journey("lock", _closing_the_door(LOCK), _is_refused),
    Journey("enable", _opening_the_door(DISABLE, ENABLE), _is_let_in),
    Journey("unlock", _opening_the_door(LOCK, UNLOCK), _is_let_in),
    Journey("delete", _deleting, _is_deleted_or_can_be),
    Journey("create", _creating, _is_created_or_can_be),
]
