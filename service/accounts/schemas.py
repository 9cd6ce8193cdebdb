"""What goes over the wire on the journeys of an account."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from service.web.strict_json import StrictModel

EmailText = Annotated[str, Field(min_length=1, max_length=254, examples=["ada@example.com"])]
PasswordText = Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


class RegisterBody(StrictModel):
    """An address, a password, and a username if one is wanted."""

    email: EmailText
    password: PasswordText
    username: Annotated[str | None, Field(min_length=1, max_length=64, examples=["ada"])] = None


class AcceptedOut(BaseModel):
    """The same for everybody: look into your mail."""

    status: str = "accepted"


class RegisteredOut(BaseModel):
    """Where the settings disclose: the id that the account has once its address is confirmed."""

    user_id: Annotated[str, Field(examples=["9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"])]


class VerifyBody(StrictModel):
    """Either the token of the link, or the address and the code."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "A" * 64}, {"email": "ada@example.com", "code": "7K3M-9QXT"}]}
    )

    token: Annotated[SecretStr | None, Field(min_length=1, max_length=512)] = None
    email: EmailText | None = None
    code: Annotated[SecretStr | None, Field(min_length=1, max_length=32, examples=["7K3M-9QXT"])] = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_token = self.token is not None and self.email is None and self.code is None
        by_code = self.token is None and self.email is not None and self.code is not None
        if not (by_token or by_code):
            raise ValueError("send either token, or email and code")
        return self


class ResendBody(StrictModel):
    """The address that waits for its mail."""

    email: EmailText
