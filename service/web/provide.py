"""How a route gets what it needs: by type, from what the lifespan built.

To FastAPI a claim is a dependency, which it walks anew with each request, though the answer is always the same. So
routes and guards are ``bound``: their claims are met when they are called, and FastAPI sees a function without them.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from fastapi import Depends, Request
from fastapi.params import Depends as DependsParameter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

T = TypeVar("T")

_REQUEST = "request_of_claims"


class Services:
    """One instance of each type, made once."""

    def __init__(self, *instances: object) -> None:
        self._by_type: Mapping[type, object] = {type(instance): instance for instance in instances}

    def get(self, kind: type[T]) -> T:
        """The instance of ``kind``. Raises KeyError for a type that was never built: a mistake in wiring."""
        return self._by_type[kind]  # type: ignore[return-value]


class _Provider:
    def __init__(self, kind: type) -> None:
        self.kind = kind

    async def __call__(self, request: Request) -> Any:
        return services_of(request).get(self.kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Provider) and other.kind is self.kind

    def __hash__(self) -> int:
        return hash((_Provider, self.kind))


def services_of(request: Request) -> Services:
    """What the lifespan of the request's application built."""
    services: Services = request.app.state.services
    return services


def provided(kind: type) -> Any:
    """A route's claim on the instance of ``kind``, to stand in an ``Annotated``."""
    return Depends(_Provider(kind))


def bound(call: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    """``call``, a coroutine function, without its claims in its signature; the same where it has none."""
    signature = inspect.signature(call, eval_str=True)
    claims = {name: kind for name, one in signature.parameters.items() if (kind := _claimed(one)) is not None}
    if not claims:
        return call
    rest = [one for name, one in signature.parameters.items() if name not in claims]
    own_request = next((one.name for one in rest if one.annotation is Request), None)
    if own_request is None:
        rest.append(inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request))

    @functools.wraps(call)
    async def met(**values: Any) -> T:
        request = values.pop(_REQUEST) if own_request is None else values[own_request]
        services = services_of(request)
        for name, kind in claims.items():
            values[name] = services.get(kind)
        return await call(**values)

    vars(met)["__signature__"] = signature.replace(parameters=rest)
    return met


def _claimed(parameter: inspect.Parameter) -> type | None:
    for extra in get_args(parameter.annotation)[1:]:
        if isinstance(extra, DependsParameter) and isinstance(extra.dependency, _Provider):
            return extra.dependency.kind
    return None
