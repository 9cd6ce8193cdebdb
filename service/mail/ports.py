"""What mail promises to the flows, and what it asks of whatever carries it.

MailProblem
├── MailUnavailable     not now: the relay is away, slow, or refuses us as a client; try again
│   └── MailUncertain   the answer to the mail was lost: it may have been taken
└── MailRefused         not this mail, now or later
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.mail.message import MailMessage, OutgoingMail
    from service.mail.outbox import Announced


class MailProblem(Exception):
    """A mail was not carried. The text says why and never holds an address or a credential."""


class MailUnavailable(MailProblem):
    """The mail may be carried later."""


class MailUncertain(MailUnavailable):
    """The mail was handed over and no answer came: to try again may send it twice, not to try may lose it."""


class MailRefused(MailProblem):
    """The mail will not be carried however often it is tried."""


class Announcer(Protocol):
    """What a flow may know of mail. Neither says anything of the delivery: the answer must not depend on it."""

    def prepare(self, message: MailMessage) -> Announced:
        """A letter whose action goes into the transaction of what it announces."""
        ...

    def dispatch(self, announced: Announced) -> None:
        """Send what was written, after the answer."""
        ...


class MailSender(Protocol):
    """What carries a finished mail away."""

    async def send(self, mail: OutgoingMail) -> None:
        """Return once ``mail`` is in somebody else's keeping.

        Raises:
            MailUnavailable: when it may be tried again; MailUncertain of them when it may have been taken all the same.
            MailRefused: when it may not.
        """
        ...


class MailMeter(Protocol):
    """Told of what became of each try to send a mail."""

    def mailed(self, *, kind: str, outcome: str) -> None:
        """One try: ``sent``, ``put_off`` or ``given_up``; ``kind`` is the template's name, or ``unread``."""
        ...


class Uncounted:
    """A meter that nobody reads."""

    def mailed(self, *, kind: str, outcome: str) -> None:
        """Nothing is counted."""
