"""What goes over the wire on the journeys of an account."""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from service.web.strict_json import StrictModel

_TOKEN_EXAMPLE = "x" * 64
EmailText = Annotated[str, Field(min_length=1, max_length=254, examples=["ada@example.com"])]
PasswordText = Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


Body = TypeVar("Body", bound="VerifyBody | ResetBody")


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
        return _by_token_or_code(self)


class ResendBody(StrictModel):
    """The address that waits for its mail."""

    email: EmailText


class ForgotBody(StrictModel):
    """The address of an account."""

    email: EmailText


class ResetBody(StrictModel):
    """The token of the link, or the address and the code; and the password that shall hold from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"token": "A" * 64, "new_password": "correct horse battery staple"},
                {"email": "ada@example.com", "code": "7K3M-9QXT", "new_password": "correct horse battery staple"},
            ]
        }
    )

    token: Annotated[SecretStr | None, Field(min_length=1, max_length=512)] = None
    email: EmailText | None = None
    code: Annotated[SecretStr | None, Field(min_length=1, max_length=32, examples=["7K3M-9QXT"])] = None
    new_password: PasswordText

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        return _by_token_or_code(self)


class ChangePasswordBody(StrictModel):
    """The password that holds, and the one that shall."""

    current_password: PasswordText
    new_password: PasswordText


class ChangeEmailBody(StrictModel):
    """The address that shall be the account's, and its password."""

    new_email: EmailText
    password: PasswordText


class ConfirmTokenBody(StrictModel):
    """The token of the link."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=512, examples=[_TOKEN_EXAMPLE])]


class ConfirmCodeBody(StrictModel):
    """The code of the mail."""

    code: Annotated[SecretStr, Field(min_length=1, max_length=32, examples=["7K3M-9QXT"])]


def _by_token_or_code(body: Body) -> Body:
    """A proof goes one of two ways, and never both: which one counted would be a guess."""
    by_token = body.token is not None and body.email is None and body.code is None
    by_code = body.token is None and body.email is not None and body.code is not None
    if not (by_token or by_code):
        raise ValueError("send either token, or email and code")
    return body
