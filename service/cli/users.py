"""``keyturn users``: look after accounts."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import EXIT_USAGE, fail, with_base

if TYPE_CHECKING:
    from service.audit.event import EventKind
    from service.base import Base
    from service.kernel.ids import UserId
    from service.users.model import StateChange

users_app = typer.Typer(no_args_is_help=True, help="Create, disable, enable, lock, unlock and delete users.")

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")
_Who = Annotated[str, typer.Argument(help="A user id, an e-mail address or a username.")]


@users_app.command()
def create(
    email: Annotated[str, typer.Option(help="The e-mail address; it counts as confirmed.")],
    username: Annotated[str | None, typer.Option(help="A username to sign in with as well.")] = None,
    scope: Annotated[str, typer.Option(help="Scopes of its access tokens, separated by blanks.")] = "",
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from one line.")] = False,
) -> None:
    """Create a user. Asks for the password, so that it stands in no shell history. Prints the user's id."""
    if scope and not _SCOPE.fullmatch(scope):
        fail("--scope: words of printable ASCII, separated by one blank", code=EXIT_USAGE)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    typer.echo(with_base(lambda base: _create(base, email=email, username=username, password=password, scope=scope)))


@users_app.command()
def disable(who: _Who) -> None:
    """Refuse an active or locked user at every door, and end its sessions."""
    from service.audit.event import EventKind
    from service.users.model import StateChange

    typer.echo(with_base(lambda base: _set_state(base, who, StateChange.DISABLE, EventKind.USER_DISABLE)))


@users_app.command()
def enable(who: _Who) -> None:
    """Let a disabled user in again, never a locked one; it signs in anew."""
    from service.audit.event import EventKind
    from service.users.model import StateChange

    typer.echo(with_base(lambda base: _set_state(base, who, StateChange.ENABLE, EventKind.USER_ENABLE)))


@users_app.command()
def lock(who: _Who) -> None:
    """Refuse an active user at every door while its case is looked into, and end its sessions."""
    from service.audit.event import EventKind
    from service.users.model import StateChange

    typer.echo(with_base(lambda base: _set_state(base, who, StateChange.LOCK, EventKind.USER_LOCK)))


@users_app.command()
def unlock(who: _Who) -> None:
    """Let a locked user in again, never a disabled one; it signs in anew."""
    from service.audit.event import EventKind
    from service.users.model import StateChange

    typer.echo(with_base(lambda base: _set_state(base, who, StateChange.UNLOCK, EventKind.USER_UNLOCK)))


@users_app.command()
def delete(
    who: _Who, yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False
) -> None:
    """Delete a user: names are free again, personal data is gone, sessions are dead. It cannot be undone."""
    if not yes:
        typer.confirm(f"Delete {who} for good?", abort=True)
    typer.echo(with_base(lambda base: _delete(base, who)))


async def _create(base: Base, *, email: str, username: str | None, password: str, scope: str) -> str:
    from service.accounts.create_user import CreateUser
    from service.accounts.names import parse_new_account
    from service.accounts.repo import AccountRepo
    from service.audit.event import EventKind
    from service.base import build_hasher, password_rules
    from service.kernel.ids import id_text
    from service.kernel.secret import Secret
    from service.passwords.checker_open import open_checker
    from service.users.identity import IdentityKeys

    secret = Secret(password)
    rules = password_rules(base.settings)
    async with open_checker(rules, clock=base.clock, count=base.metrics.breach_checked) as checker:
        names = await parse_new_account(email=email, username=username, password=secret, checker=checker)
    hasher = build_hasher(base)
    flow = CreateUser(
        accounts=AccountRepo(dynamo=base.dynamo),
        identities=IdentityKeys(base.identity_master),
        hasher=hasher,
        clock=base.clock,
        entropy=base.entropy,
    )
    try:
        user_id = await flow(names, secret, scope=scope)
    finally:
        await hasher.pool.close()
    await _keep(base, EventKind.USER_CREATE, user_id)
    return id_text(user_id)


async def _delete(base: Base, who: str) -> str:
    from service.accounts.delete_user import DeleteUser
    from service.accounts.repo import AccountRepo
    from service.audit.event import EventKind
    from service.base import build_revocation_log
    from service.kernel.ids import id_text
    from service.sessions.repo import SessionRepo
    from service.users.repo import UserRepo

    users = UserRepo(dynamo=base.dynamo)
    user_id = await _find(base, users, who)
    flow = DeleteUser(
        accounts=AccountRepo(dynamo=base.dynamo),
        users=users,
        sessions=SessionRepo(dynamo=base.dynamo),
        revocations=build_revocation_log(base, always=True),
    )
    if user_id is None or not await flow(user_id):
        fail(f"there is no user {who!r}")
    await _keep(base, EventKind.ACCOUNT_CLOSE, user_id)
    return f"{id_text(user_id)} is deleted"


async def _keep(base: Base, kind: EventKind, user_id: UserId, *, outcome: str = "ok") -> None:
    from service.audit.event import Agent, Event
    from service.cli.context import keep_event

    await keep_event(base, Event(kind=kind, outcome=outcome, user_id=user_id, actor=Agent.OPERATOR))


async def _set_state(base: Base, who: str, change: StateChange, kind: EventKind) -> str:
    from service.accounts.set_state import SetState, StateSet
    from service.base import build_revocation_log
    from service.kernel.ids import id_text
    from service.users.repo import UserRepo

    users = UserRepo(dynamo=base.dynamo)
    user_id = await _find(base, users, who)
    flow = SetState(users=users, revocations=build_revocation_log(base, always=True))
    done = StateSet.NOBODY if user_id is None else await flow(user_id, change)
    if user_id is None or done is StateSet.NOBODY:
        fail(f"there is no user {who!r}")
    # A command that was killed after its write is given again: its event is not lost then.
    await _keep(base, kind, user_id, outcome="ok" if done is StateSet.CHANGED else "unchanged")
    return f"{id_text(user_id)} is {change.to.value}"


async def _find(base: Base, users: object, who: str) -> UserId | None:
    from service.kernel.identifier import parse_identifier
    from service.kernel.ids import parse_user_id
    from service.kernel.text import NameRefusal
    from service.users.identity import IdentityKeys
    from service.users.repo import UserRepo

    if (user_id := parse_user_id(who)) is not None:
        return user_id
    name = parse_identifier(who)
    if isinstance(name, NameRefusal) or not isinstance(users, UserRepo):
        return None
    return await users.owner_of(IdentityKeys(base.identity_master).of(name))
