"""Liveness and readiness. Neither says more than yes or no."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from service.tokens.keyring import KeyRing
from service.users.repo import UserRepo
from service.web.problem_docs import problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["health"])

_PROBE_KEY = "ready#probe"


class StatusOut(BaseModel):
    """One word."""

    status: str = "ok"


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> StatusOut:
    """Never touches DynamoDB: a store that is away is no reason to restart every worker."""
    return StatusOut()


@router.get("/readyz", responses=problem_responses(503), summary="Can it do its work?")
async def readyz(
    users: Annotated[UserRepo, provided(UserRepo)], keyring: Annotated[KeyRing, provided(KeyRing)]
) -> StatusOut:
    """A strongly consistent read, and a key that signs."""
    await users.owner_of(_PROBE_KEY)
    await keyring.signer()
    return StatusOut(status="ready")
