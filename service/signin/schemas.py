"""What goes over the wire at sign-in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from service.web.strict_json import StrictModel


class LoginBody(StrictModel):
    """A name, a password, and how the refresh token shall travel."""

    identifier: Annotated[str, Field(min_length=1, max_length=254, examples=["ada@example.com"])]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["correct horse battery staple"])]
    transport: Literal["bearer", "cookie"] = "bearer"
    device_name: Annotated[str | None, Field(min_length=1, max_length=64, examples=["Ada's phone"])] = None
