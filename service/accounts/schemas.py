"""What goes over the wire on the journeys of an account."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from service.kernel.username import MAX_LENGTH as MAX_USERNAME
from service.kernel.username import MIN_LENGTH as MIN_USERNAME
from service.passwords.policy import MAX_LENGTH as MAX_PASSWORD
from service.web.strict_json import StrictModel

_TOKEN_EXAMPLE = "x" * 64
_PASSWORD_EXAMPLE = "correct horse battery staple"  # noqa: S105 - an example of a form
# What ``json_schema_extra`` says is told and not enforced here: the rules behind refuse with codes of their own.
EmailText = Annotated[
    str, Field(min_length=1, max_length=254, examples=["ada@example.com"], json_schema_extra={"format": "email"})
]
PasswordText = Annotated[SecretStr, Field(min_length=1, max_length=1024, examples=[_PASSWORD_EXAMPLE])]
NewPasswordText = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=1024,
        examples=[_PASSWORD_EXAMPLE],
        description="15 code points or more, unless the settings say fewer; not a common one, and not easily guessed.",
        json_schema_extra={"maxLength": MAX_PASSWORD},
    ),
]
UsernameText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        examples=["ada"],
        json_schema_extra={
            "minLength": MIN_USERNAME,
            "maxLength": MAX_USERNAME,
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$",
        },
    ),
]


Body = TypeVar("Body", bound="VerifyBody | ResetBody")


class RegisterBody(StrictModel):
    """An address, a password, and a username if one is wanted."""

    email: EmailText
    password: NewPasswordText
    username: UsernameText | None = None


class AcceptedOut(BaseModel):
    """The same for everybody: look into your mail."""

    status: str = "accepted"


class RegisteredOut(BaseModel):
    """Where the settings disclose: the id that the account has once its address is confirmed."""

    user_id: Annotated[str, Field(examples=["9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d"])]


class VerifyBody(StrictModel):
    """Either the token of the link, or the address and the code."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: _two_ways(
            schema, {"token": "A" * 64}, {"email": "ada@example.com", "code": "7K3M-9QXT"}
        )
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
        json_schema_extra=lambda schema: _two_ways(
            schema,
            {"token": "A" * 64, "new_password": _PASSWORD_EXAMPLE},
            {"email": "ada@example.com", "code": "7K3M-9QXT", "new_password": _PASSWORD_EXAMPLE},
        )
    )

    token: Annotated[SecretStr | None, Field(min_length=1, max_length=512)] = None
    email: EmailText | None = None
    code: Annotated[SecretStr | None, Field(min_length=1, max_length=32, examples=["7K3M-9QXT"])] = None
    new_password: NewPasswordText

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        return _by_token_or_code(self)


class ChangePasswordBody(StrictModel):
    """The password that holds, and the one that shall."""

    current_password: PasswordText
    new_password: NewPasswordText


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


def _two_ways(schema: dict[str, Any], *examples: dict[str, str]) -> None:
    """Tell in the schema what ``_by_token_or_code`` demands: one object or the other, each with its fields needed."""
    fields = {name: _without_null(field) for name, field in schema.pop("properties").items()}
    for word in ("required", "additionalProperties", "type"):
        schema.pop(word, None)
    schema["anyOf"] = [
        {
            "type": "object",
            "properties": {name: fields[name] for name in example},
            "required": list(example),
            "additionalProperties": False,
        }
        for example in examples
    ]
    schema["examples"] = list(examples)


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """The one kind that ``field`` may be when it is there."""
    (kind,) = [kind for kind in field.get("anyOf", [field]) if kind.get("type") != "null"]
    return {**{name: value for name, value in field.items() if name not in {"anyOf", "default"}}, **kind}
