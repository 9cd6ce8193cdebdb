"""Users over HTTP: oneself, and others for who may see them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from service.kernel.ids import UserId
from service.tokens.guards import Alive, SignedIn, owner_or
from service.users.flows import Profiles
from service.users.schemas import MeOut, ProfileBody, UserOut
from service.web.links_docs import linked, of_user
from service.web.problem_docs import BODY, problem_responses
from service.web.provide import provided
from service.web.strict_route import StrictRoute

router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["users"])
TheProfiles = Annotated[Profiles, provided(Profiles)]


@router.get(
    "/me",
    responses={
        **linked(
            GetMyUser=of_user("get_user_v1_users__user_id__get"),
            ListMySessions=of_user("list_sessions_v1_users__user_id__sessions_get"),
            ListMyEvents=of_user("list_events_v1_users__user_id__events_get"),
        ),
        **problem_responses(401, 503),
    },
    summary="Who am I?",
)
async def me(caller: SignedIn, profiles: TheProfiles) -> MeOut:
    """The account as it is now, read consistently: a disabled one is refused although its token has not expired."""
    return MeOut.of_caller(await profiles.of_caller(caller.user_id), caller)


@router.patch("/me", responses=problem_responses(*BODY, 401, 503), summary="Change my display name or locale")
async def change_me(body: ProfileBody, caller: Alive, profiles: TheProfiles) -> MeOut:
    """Names that sign in, scopes and states are not among the fields."""
    changes: dict[str, str] = body.model_dump(exclude_none=True)
    return MeOut.of_caller(await profiles.change(caller.user_id, changes, session_epoch=caller.epoch), caller)


@router.get("/users/{user_id}", responses=problem_responses(401, 404, 503), summary="Look at a user")
async def get_user(
    user_id: Annotated[UserId, owner_or("users:read")], caller: SignedIn, profiles: TheProfiles
) -> UserOut:
    """For the user itself, or with the scope ``users:read``; anybody else hears that there is nobody."""
    return UserOut.of(await profiles.of(user_id, seen_by=caller.user_id))
