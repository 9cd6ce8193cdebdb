"""Mail through Amazon SES, API version 2, and the one door to aioboto3 for it.

The SDK tries each mail once: trying again is the outbox's business, and a try whose answer was lost may have sent it
(MailUncertain; SES has no token by which it would know a mail again).
Region and credentials come from AWS's own variables and chain; who may send is IAM's ``ses:SendRawEmail`` on the
sender's identity (docs/operations.md).
"""

from __future__ import annotations

import asyncio
import errno
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from service.mail.ports import MailProblem, MailRefused, MailUnavailable, MailUncertain
from service.store.client import sdk_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from service.mail.message import OutgoingMail

_CONNECT_TIMEOUT_SECONDS = 5
_READ_TIMEOUT_SECONDS = 15
_LONGEST_TRY_SECONDS = 20.0
_POOL_CONNECTIONS = 8

_ABOUT_THE_MAIL = frozenset({"BadRequestException", "MessageRejected"})
_CUT_OFF = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})
_NOT_VERIFIED = "Email address is not verified"
"""SES says so with the code for refused content, of an identity that its owner may verify at any time."""


class NoRegion(ValueError):
    """AWS's variables name no region."""


@dataclass(frozen=True, kw_only=True)
class Ses:
    """What ``ses:`` asks for; ``configuration_set`` names what SES applies to the mails, such as event publishing."""

    configuration_set: str | None = None


@dataclass(frozen=True, kw_only=True)
class SesSender:
    """Hands each mail to SES as it is. SES puts its own Message-ID and Date in the place of ours."""

    client: Any = field(repr=False)
    configuration_set: str | None = None
    timeout_seconds: float = _LONGEST_TRY_SECONDS

    async def send(self, mail: OutgoingMail) -> None:
        """Return once SES has accepted ``mail``.

        Raises:
            MailUncertain: when it was asked and no answer came.
            MailUnavailable: when SES is away, slow, asks for patience, or refuses us: credentials, permission, an
                identity that is not verified, an account that is paused.
            MailRefused: when SES refuses this mail for good, or cannot carry its address (RFC 6531).
        """
        if mail.needs_smtputf8:
            raise MailRefused("SES cannot carry an address beyond ASCII")
        request: dict[str, Any] = {
            "FromEmailAddress": mail.sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {"Raw": {"Data": mail.data}},
        }
        if self.configuration_set is not None:
            request["ConfigurationSetName"] = self.configuration_set
        try:
            async with asyncio.timeout(self.timeout_seconds):
                await self.client.send_email(**request)
        except ClientError as error:
            # Without the cause: SES's words repeat the address.
            raise _problem(error) from None
        except (BotoCoreError, OSError) as error:
            if _was_cut_off(error):
                raise MailUncertain(f"SES did not answer: {type(error).__name__}") from None
            raise MailUnavailable(f"SES cannot be used: {type(error).__name__}") from None


@asynccontextmanager
async def open_ses(ses: Ses) -> AsyncIterator[SesSender]:
    """A sender with a client that lives as long as it does. Raises NoRegion."""
    _, session = sdk_sessions()
    if session.region_name is None:
        raise NoRegion("no AWS region is set; set AWS_REGION")
    config = AioConfig(
        user_agent="keyturn",
        max_pool_connections=_POOL_CONNECTIONS,
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        read_timeout=_READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    async with session.client("sesv2", config=config) as client:
        yield SesSender(client=client, configuration_set=ses.configuration_set)


def _was_cut_off(error: BotoCoreError | OSError) -> bool:
    """Whether the request may have arrived. The SDK's errors of connecting are OSErrors too."""
    if isinstance(error, HTTPClientError | TimeoutError):
        return True
    # A connection that was made and broke comes as one that could not be made.
    return getattr(getattr(error, "kwargs", {}).get("error"), "errno", None) in _CUT_OFF


def _problem(error: ClientError) -> MailProblem:
    details = error.response.get("Error", {})
    code, words = details.get("Code", ""), details.get("Message", "")
    if code in _ABOUT_THE_MAIL and not words.startswith(_NOT_VERIFIED):
        return MailRefused(f"SES answered {code}")
    return MailUnavailable(f"SES answered {code}")
