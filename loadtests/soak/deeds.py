"""The mix of a busy product: mostly looking, often refreshing, seldom signing in, now and then everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from loadtests.soak.person import Person, World, newcomer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Deed = Callable[[Person], Awaitable[None]]


async def look(person: Person) -> None:
    """Who am I?"""
    answer = await person.get("/v1/me")
    if answer.json()["email"] != person.email:
        raise AssertionError(f"{person.email} was shown somebody else's account")


async def refresh(person: Person) -> None:
    """As an app that has just been opened."""
    await person.refresh()


async def list_sessions(person: Person) -> None:
    """One's own devices: as many pages as it takes, since ended sessions fill pages and are not shown."""
    path = f"/v1/users/{person.user_id}/sessions"
    page = (await person.get(path)).json()
    seen = sum(session["current"] for session in page["sessions"])
    while page["next_cursor"]:
        page = (await person.get(f"{path}?cursor={quote(page['next_cursor'])}")).json()
        seen += sum(session["current"] for session in page["sessions"])
    if seen != 1:
        raise AssertionError(f"{person.email} sees the session in hand {seen} times")


async def look_at_events(person: Person) -> None:
    """What happened to the account."""
    await person.get(f"/v1/users/{person.user_id}/events")


async def export(person: Person) -> None:
    """Everything that is held."""
    await person.get("/v1/me/export")


async def fetch_keys(person: Person) -> None:
    """As a guard does."""
    await person.world.ask(200, "GET", "/.well-known/jwks.json")
    await person.world.ask(200, "GET", "/.well-known/oauth-authorization-server")


async def probe(person: Person) -> None:
    """As a balancer does."""
    await person.world.ask(200, "GET", "/healthz")
    await person.world.ask(200, "GET", "/readyz")


async def rename(person: Person) -> None:
    """Change the profile."""
    body = {"display_name": f"Soak {person.world.random.randrange(1000)}"}
    await person.world.ask(200, "PATCH", "/v1/me", body, headers=await person.bearer())


async def come_again(person: Person) -> None:
    """Log out and sign in."""
    await person.log_out()
    await person.sign_in()


async def end_everything(person: Person) -> None:
    """Log out everywhere, and sign in."""
    await person.world.ask(204, "POST", "/v1/logout-all", headers=await person.bearer())
    await person.sign_in()


async def change_password(person: Person) -> None:
    """The password of the account."""
    await person.change_password()


async def check_password(person: Person) -> None:
    """Before one is chosen."""
    await person.world.ask(200, "POST", "/v1/password/check", {"password": person.world.passphrase()})


async def guess(person: Person) -> None:
    """A stranger with a name that nobody has, and one with tokens that we never issued."""
    nobody = newcomer(person.world)
    body = {"identifier": nobody.email, "password": nobody.password}
    await person.world.ask(401, "POST", "/v1/login", body)
    await person.world.ask(401, "POST", "/v1/refresh", {"refresh_token": "ktr_" + "A" * 101})
    await person.world.ask(401, "GET", "/v1/me", headers="Authorization: Bearer a.b.c\r\n")


async def come_and_go(person: Person) -> None:
    """A whole life: sign up, forget the password, close the account."""
    somebody = newcomer(person.world)
    await somebody.open_account()
    await somebody.sign_in()
    await look(somebody)
    await somebody.forget_password()
    await somebody.close_account()


MIX: dict[Deed, float] = {
    look: 40,
    refresh: 22,
    fetch_keys: 8,
    list_sessions: 7,
    come_again: 5,
    probe: 3,
    check_password: 3,
    rename: 2,
    look_at_events: 2,
    guess: 2,
    export: 1,
    change_password: 1,
    come_and_go: 1,
    end_everything: 0.5,
}
"""Deeds by their share. A deed is one request to a dozen."""


async def settle(world: World, count: int) -> list[Person]:
    """So many people with accounts, signed in."""
    people = [newcomer(world) for _ in range(count)]
    for person in people:
        await person.open_account()
        await person.sign_in()
    return people
