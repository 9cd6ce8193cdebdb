"""The one question before a password is set, on every path: may it be, and if not, why not?

Asked in the order of what asking costs: the rules, which tell all that they find, the embedded list, the strength and
the breach service, each only where those before it found nothing, so that no more leaves the house than must.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.errors import Unavailable
from service.passwords.breach import Breach, BreachList
from service.passwords.policy import Reason, check, normalise

if TYPE_CHECKING:
    from service.kernel.secret import Secret
    from service.passwords.policy import PasswordContext
    from service.passwords.strength import Strength
    from service.passwords.strength_meter import StrengthMeter

BREACHED = "password_breached"
TOO_WEAK = "password_too_weak"
_BREACHED_SENTENCE = "This password is on lists of known passwords. Choose another one."
_AWAY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A reason against a password: a stable code, and a sentence for a person that does not repeat the password."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Everything found against a password, and its ``score`` from 0 to 4."""

    findings: tuple[Finding, ...]
    score: int

    @property
    def ok(self) -> bool:
        """Whether the password may be set."""
        return not self.findings


@dataclass(frozen=True, kw_only=True)
class PasswordChecker:
    """The policy of one installation. A ``min_score`` of 0 switches the demand on strength off.

    ``product`` is the name of the service, which may not be built on. ``refuses_when_away``: while the breach
    service cannot be asked no password is set; otherwise the embedded list, which was asked before, has decided.
    """

    min_length: int
    min_score: int
    product: str
    meter: StrengthMeter
    common: BreachList
    breached: BreachList
    refuses_when_away: bool

    async def check(self, password: Secret[str], context: PasswordContext) -> tuple[Finding, ...]:
        """Every reason against setting ``password``; none means that it may be set. Raises as ``assess`` does."""
        return (await self.assess(password, context)).findings

    async def assess(self, password: Secret[str], context: PasswordContext) -> Assessment:
        """The reasons and the score.

        Raises Unavailable when the strength check has no place left, or when the breach service is away and the
        settings demand its answer.
        """
        context = replace(context, product=self.product)
        findings = self._against_rules(password, context)
        if normalise(password) is None:
            return Assessment(findings=findings, score=0)
        if not findings and await self.common.contains(password) is Breach.LISTED:
            findings = (Finding(code=BREACHED, message=_BREACHED_SENTENCE),)
        strength = await self.meter.measure(password, words=context.words())
        if not findings:
            findings = self._against_strength(strength) or await self._against_breach(password)
        return Assessment(findings=findings, score=strength.score)

    def _against_rules(self, password: Secret[str], context: PasswordContext) -> tuple[Finding, ...]:
        reasons: tuple[Reason, ...] = check(password, min_length=self.min_length, context=context)
        return tuple(
            Finding(code=reason.code, message=reason.sentence(min_length=self.min_length)) for reason in reasons
        )

    def _against_strength(self, strength: Strength) -> tuple[Finding, ...]:
        if strength.score >= self.min_score:
            return ()
        return (Finding(code=TOO_WEAK, message=strength.hint),)

    async def _against_breach(self, password: Secret[str]) -> tuple[Finding, ...]:
        found = await self.breached.contains(password)
        if found is Breach.LISTED:
            return (Finding(code=BREACHED, message=_BREACHED_SENTENCE),)
        if found is Breach.UNKNOWN and self.refuses_when_away:
            raise Unavailable("the breach service is away", retry_after_seconds=_AWAY_SECONDS)
        return ()
