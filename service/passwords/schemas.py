"""What goes over the wire when a form asks about a password."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr

from service.web.strict_json import StrictModel


class CheckBody(StrictModel):
    """A password, and the names beside it in the form, which it must not be built on."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["correct horse battery staple"])]
    email: Annotated[str | None, Field(max_length=254, examples=["ada@example.com"])] = None
    username: Annotated[str | None, Field(max_length=64, examples=["ada"])] = None


class ReasonOut(BaseModel):
    """Why not: a stable code, and a sentence to show."""

    code: Annotated[str, Field(examples=["password_too_short"])]
    message: Annotated[str, Field(examples=["Use at least 15 characters."])]


class CheckOut(BaseModel):
    """Whether the password may be set, why not, and how strong it is."""

    ok: Annotated[bool, Field(examples=[False])]
    reasons: Annotated[
        list[ReasonOut],
        Field(examples=[[{"code": "password_too_short", "message": "Use at least 15 characters."}]]),
    ]
    score: Annotated[
        int, Field(ge=0, le=4, examples=[1], description="Guesses needed: 0 hardly any, 4 ten thousand million")
    ]
