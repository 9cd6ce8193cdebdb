"""Ownership without a framework: what is not the caller's is not there.

``Owns("user_id")`` compares a parameter of the path with the subject. ``Owns(load_note)`` loads the object that the
path names and compares its owner. Both answer 404 for not-mine and for not-there, with the same work done: the object
is always loaded once, then compared once. ``or_scope`` lets holders of a scope through.

Only what was loaded can be asked whose it is, so ``owner`` must do nothing but look: one that loads more tells by its
time that something is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from uuid import UUID

from keyturn.errors import NotFound
from keyturn.requirements import is_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from keyturn.principal import Principal

T = TypeVar("T")

DEFAULT_OWNER = "owner_id"


# No slots: with them ``Owns[Note](...)`` cannot be called, since it sets an attribute that typing needs.
@dataclass(frozen=True)
class Owns(Generic[T]):
    """That the caller owns what the path names.

    ``target`` is the name of a path parameter that holds a user's id, or a loader: a function, plain or ``async``,
    from the path's parameters by name to the object or None. ``owner`` says whose a loaded object is: the name of an
    attribute or key, or a function that looks at the object and loads nothing. ``or_scope`` names a scope whose
    holders need not be the owner.

    Raises:
        ValueError: ``or_scope`` is not one scope.
    """

    target: str | Callable[..., T | None] | Callable[..., Awaitable[T | None]]
    owner: str | Callable[[T], str] = DEFAULT_OWNER
    or_scope: str | None = None

    def __post_init__(self) -> None:
        if self.or_scope is not None and not is_name(self.or_scope):
            raise ValueError("or_scope is no scope that a token can hold")

    @property
    def loader(self) -> Callable[..., T | Awaitable[T | None] | None] | None:
        """The loader, or None where a path parameter is compared."""
        return None if isinstance(self.target, str) else self.target

    def check(self, principal: Principal, parameters: Mapping[str, object]) -> T | None:
        """The object that is the caller's, for plain code; None where only a parameter was compared.

        Raises:
            NotFound: it is not there, or not the caller's.
            TypeError: the loader is ``async``: use ``check_async``.
        """
        if self.loader is None:
            self._compare(principal, parameters)
            return None
        loaded = self.loader(**parameters)
        if isawaitable(loaded):
            _dispose(loaded)
            raise TypeError("the loader is async; this guard is not")
        return self.judge(principal, loaded)

    async def check_async(self, principal: Principal, parameters: Mapping[str, object]) -> T | None:
        """``check`` for ``async`` code; the loader may be of either kind. A plain one runs here, so it must not block.

        Raises:
            NotFound: it is not there, or not the caller's.
        """
        if self.loader is None:
            self._compare(principal, parameters)
            return None
        loaded = self.loader(**parameters)
        return self.judge(principal, await loaded if isawaitable(loaded) else loaded)

    def judge(self, principal: Principal, loaded: T | None) -> T:
        """``loaded``, if it is there and the caller's. For frameworks that call the loader themselves.

        Raises:
            NotFound: it is not there, or not the caller's.
        """
        owner = None if loaded is None else self._owner_of(loaded)
        if not self.allows(principal, owner) or loaded is None:
            raise NotFound("not there, or not the caller's")
        return loaded

    def allows(self, principal: Principal, owner: object) -> bool:
        """Whether ``principal`` is ``owner``, a text or a UUID, or holds the scope. No owner is nobody."""
        is_owner = isinstance(owner, str | UUID) and str(owner) == principal.subject
        may_override = self.or_scope is not None and principal.has_scope(self.or_scope)
        return is_owner or may_override

    def _compare(self, principal: Principal, parameters: Mapping[str, object]) -> None:
        if not self.allows(principal, parameters[cast("str", self.target)]):
            raise NotFound("not the caller's")

    def _owner_of(self, loaded: T) -> object:
        if callable(self.owner):
            return self.owner(loaded)
        found: Any = loaded[self.owner] if isinstance(loaded, Mapping) else getattr(loaded, self.owner)
        return found


def _dispose(awaitable: object) -> None:
    # A coroutine that is never awaited warns about itself when it is collected.
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
