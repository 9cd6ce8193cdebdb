"""The verifier that services hold: one for each issuer and audience, made once, used from anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from keyturn.bearer import read_bearer
from keyturn.bounds import Bounds
from keyturn.errors import Revoked
from keyturn.issuer_keys import IssuerKeys
from keyturn.issuer_url import check_issuer
from keyturn.ports import Clock, Pending, SystemClock, TakesKeys
from keyturn.strict import parse
from keyturn.verifier import DEFAULT_LEEWAY_SECONDS, MAX_LEEWAY_SECONDS, verify_parsed
from keyturn.waiting import drive, drive_async

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from keyturn.keys import VerifyingKey
    from keyturn.ports import Revocations
    from keyturn.principal import Principal
    from keyturn.requirements import Requirement
    from keyturn.strict import ParsedToken
    from keyturn.waiting import Flow

_MARGIN_SECONDS: Final = 1.0
"""A wait lasts longer than what is waited for, so that its own word on how it failed comes first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What a token must say to be accepted here.

    Raises:
        ValueError: the issuer is no address of one, the audience is empty, or a number is out of range.
    """

    issuer: str
    audience: str
    leeway_seconds: int = DEFAULT_LEEWAY_SECONDS
    max_lifetime_seconds: int | None = None

    def __post_init__(self) -> None:
        check_issuer(self.issuer)
        if not self.audience:
            raise ValueError("the audience is empty")
        if not 0 <= self.leeway_seconds <= MAX_LEEWAY_SECONDS:
            raise ValueError("leeway_seconds is out of range")
        if self.max_lifetime_seconds is not None and self.max_lifetime_seconds <= 0:
            raise ValueError("max_lifetime_seconds is not above zero")

    def judge(self, parsed: ParsedToken, *, keys: Mapping[str, VerifyingKey], now_ms: int) -> Principal:
        """The principal that ``parsed`` vouches for. Raises TokenError."""
        return verify_parsed(
            parsed,
            keys=keys,
            expected_issuer=self.issuer,
            expected_audience=self.audience,
            now_ms=now_ms,
            leeway_seconds=self.leeway_seconds,
            max_lifetime_seconds=self.max_lifetime_seconds,
        )


class Verifier:
    """Verifies the access tokens of one issuer for one audience: ``Verifier("https://auth.example.com", "notes")``.

    Make one for the process, at import or at start-up: nothing is fetched before the first token (or ``prepare``).
    Threads, event loops, and the children of a fork may all use it. While a token's key is known, verifying does no
    I/O; keys are fetched and refreshed in a thread, within ``bounds``.

    ``keys`` pins what to verify with: a ``KeySet``, and nothing is ever fetched; or an ``IssuerKeys`` that several
    verifiers share. ``revocations`` is asked about each token that is otherwise good. ``max_lifetime_seconds`` refuses
    tokens that were issued for longer. ``jwks_origins`` and ``ssl_context`` go to ``IssuerKeys``.

    Raises:
        ValueError: an argument is out of range, or says how to fetch keys that are given.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        leeway_seconds: int = DEFAULT_LEEWAY_SECONDS,
        max_lifetime_seconds: int | None = None,
        keys: Mapping[str, VerifyingKey] | IssuerKeys | None = None,
        revocations: Revocations | None = None,
        bounds: Bounds | None = None,
        jwks_origins: Iterable[str] = (),
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.policy = Policy(
            issuer=issuer,
            audience=audience,
            leeway_seconds=leeway_seconds,
            max_lifetime_seconds=max_lifetime_seconds,
        )
        if keys is not None and (bounds or jwks_origins or ssl_context):
            raise ValueError(
                "bounds, jwks_origins and ssl_context are for keys that are fetched: give them to IssuerKeys"
            )
        self._clock: Clock = clock or SystemClock()
        self._owned: IssuerKeys | None = None
        if keys is None:
            keys = self._owned = IssuerKeys(
                issuer, bounds=bounds, jwks_origins=jwks_origins, ssl_context=ssl_context, clock=clock
            )
        self._keys = keys
        self._patience_seconds = (
            keys.bounds if isinstance(keys, IssuerKeys) else Bounds()
        ).fetch_seconds + _MARGIN_SECONDS
        self._revocations = revocations
        learning: object = revocations
        self._pending = learning.pending if isinstance(learning, Pending) else None
        if isinstance(learning, TakesKeys):
            learning.offer_keys(keys, issuer=issuer)

    def verify(self, token: str) -> Principal:
        """The principal that ``token``, what stood after ``Bearer``, vouches for.

        Raises:
            TokenError: it is not accepted: 401. ``code`` is for the log.
            Unavailable: it cannot be known: 503. No key set that is young enough, or no word of revocations.
        """
        return drive(self._verified(token), seconds=self._patience_seconds)

    async def verify_async(self, token: str) -> Principal:
        """``verify`` for event loops: by the same rules, and never in the loop's way."""
        return await drive_async(self._verified(token), seconds=self._patience_seconds)

    def authenticate(self, authorization: Sequence[str]) -> Principal:
        """The caller that all ``Authorization`` header lines of a request present.

        Raises:
            NoToken: none presents a bearer token.
            TokenError: see ``verify``; also for two lines, and for a line with anything but one token.
            Unavailable: see ``verify``.
        """
        return self.verify(read_bearer(authorization))

    async def authenticate_async(self, authorization: Sequence[str]) -> Principal:
        """``authenticate`` for event loops."""
        return await self.verify_async(read_bearer(authorization))

    def require(self, principal: Principal, requirement: Requirement) -> None:
        """``requirement`` holds of ``principal`` now. Raises InsufficientScope or StepUpRequired."""
        requirement.check(principal, now_ms=self._clock.now_ms())

    def prepare(self) -> None:
        """Fetch the keys, if that is still to be done, so that a wrong address shows at start-up; hear of revocations.

        Raises:
            KeysUnavailable: the issuer does not answer as one.
        """
        drive(self._prepared(), seconds=self._patience_seconds)

    async def prepare_async(self) -> None:
        """``prepare`` for event loops."""
        await drive_async(self._prepared(), seconds=self._patience_seconds)

    def close(self) -> None:
        """End the fetching of keys, unless they are shared. Known keys go on working until they are too old."""
        if self._owned is not None:
            self._owned.close()

    async def aclose(self) -> None:
        """``close`` for event loops."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Verifier({self.policy.issuer!r}, {self.policy.audience!r})"

    def _verified(self, token: str) -> Flow[Principal]:
        parsed = parse(token)
        keys = (yield from self._keys.holding(parsed.kid)) if isinstance(self._keys, IssuerKeys) else self._keys
        principal = self.policy.judge(parsed, keys=keys, now_ms=self._clock.now_ms())
        if self._revocations is not None:
            yield from self._heard()
            if self._revocations.is_revoked(principal):
                raise Revoked("the session or its user has been revoked")
        return principal

    def _prepared(self) -> Flow[None]:
        if isinstance(self._keys, IssuerKeys):
            yield from self._keys.prepared()
        yield from self._heard()

    def _heard(self) -> Flow[None]:
        if self._pending is not None and (pending := self._pending()) is not None:
            yield pending
