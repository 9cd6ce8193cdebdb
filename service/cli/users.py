"""``keyturn users``: look after accounts."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.context import EXIT_USAGE, fail, with_base

if TYPE_CHECKING:
    from service.base import Base
    from service.kernel.ids import UserId
    from service.users.model import UserState

users_app = typer.Typer(no_args_is_help=True, help="Create, disable and enable users.")

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
    """Refuse a user at every door, and end its sessions."""
    from service.users.model import UserState

    typer.echo(with_base(lambda base: _set_state(base, who, UserState.DISABLED)))


@users_app.command()
def enable(who: _Who) -> None:
    """Let a disabled user in again; it signs in anew."""
    from service.users.model import UserState

    typer.echo(with_base(lambda base: _set_state(base, who, UserState.ACTIVE)))


async def _create(base: Base, *, email: str, username: str | None, password: str, scope: str) -> str:
    from service.accounts.create_user import CreateUser
    from service.accounts.names import parse_new_account
    from service.accounts.repo import AccountRepo
    from service.base import build_hasher
    from service.kernel.ids import id_text
    from service.kernel.secret import Secret
    from service.users.identity import IdentityKeys

    secret = Secret(password)
    names = parse_new_account(
        email=email, username=username, password=secret, min_length=base.settings.password_min_length
    )
    hasher = build_hasher(base)
    flow = CreateUser(
        accounts=AccountRepo(dynamo=base.dynamo),
        identities=IdentityKeys(base.identity_master),
        hasher=hasher,
        clock=base.clock,
        entropy=base.entropy,
    )
    try:
        return id_text(await flow(names, secret, scope=scope))
    finally:
        await hasher.pool.close()


async def _set_state(base: Base, who: str, state: UserState) -> str:
    from service.kernel.ids import id_text
    from service.users.repo import UserRepo

    users = UserRepo(dynamo=base.dynamo)
    user_id = await _find(base, users, who)
    if user_id is None or await users.set_state(user_id, state) is None:
        fail(f"there is no user {who!r}")
    return f"{id_text(user_id)} is {state.value}"


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
