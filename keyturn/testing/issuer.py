"""An issuer for tests: real keys, real tokens, no network and no service. Never use its keys for anything else."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from keyturn.guard import Verifier
from keyturn.keys import VerifyingKey
from keyturn.ports import Clock, SystemClock
from keyturn.strict import parse
from keyturn.testing.signing import SigningKey
from keyturn.verifier import DEFAULT_LEEWAY_SECONDS

if TYPE_CHECKING:
    from keyturn.ports import Revocations
    from keyturn.principal import Principal

DEFAULT_ISSUER: Final = "https://issuer.test"
DEFAULT_AUDIENCE: Final = "https://service.test"
DEFAULT_ACR: Final = "aal1"


class TokenOptions(TypedDict, total=False):
    """What a token may differ in. Durations are seconds.

    ``age`` is how long ago the user signed in, ``issued_ago`` how long ago the token was issued, ``lifetime`` for how
    long. Each token is of a session of its own unless ``session`` names one. ``claims`` and ``header`` are laid over
    the rest; a member of None is left out.
    """

    scopes: Iterable[str]
    amr: Iterable[str]
    acr: str | None
    age: int
    audience: str
    session: str
    client_id: str
    lifetime: int
    issued_ago: int
    claims: Mapping[str, object]
    header: Mapping[str, object]


class OfflineIssuer:
    """Issues access tokens as Keyturn does, and verifiers that accept them. Each instance has keys of its own.

    ``clock`` is shared with the verifiers that it makes, so that a test can move both.
    """

    def __init__(
        self, *, issuer: str = DEFAULT_ISSUER, audience: str = DEFAULT_AUDIENCE, clock: Clock | None = None
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.clock: Clock = clock or SystemClock()
        self._numbers = itertools.count(1)
        self._signers: tuple[SigningKey, ...] = ()
        self._revoked: set[str] = set()
        self.rotate()

    def verifier(
        self,
        *,
        audience: str | None = None,
        leeway_seconds: int = DEFAULT_LEEWAY_SECONDS,
        max_lifetime_seconds: int | None = None,
        revocations: Revocations | None = None,
    ) -> Verifier:
        """A verifier that knows the keys of this moment and of every later one, and what is revoked here."""
        return Verifier(
            self.issuer,
            audience or self.audience,
            leeway_seconds=leeway_seconds,
            max_lifetime_seconds=max_lifetime_seconds,
            keys=self.live_keys(),
            revocations=revocations or self,
            clock=self.clock,
        )

    def token_for(self, subject: str, **options: Unpack[TokenOptions]) -> str:
        """An access token for the user ``subject``, signed in by password just now unless ``options`` say otherwise."""
        return self._signers[-1].sign(self.claims_for(subject, **options), header=options.get("header"))

    def headers_for(self, subject: str, **options: Unpack[TokenOptions]) -> dict[str, str]:
        """What a test client sends for ``subject``: ``client.get(path, headers=issuer.headers_for("user"))``."""
        return {"Authorization": f"Bearer {self.token_for(subject, **options)}"}

    def token_for_client(self, client_id: str, *, scopes: Iterable[str] = ()) -> str:
        """An access token of a service that calls for itself: no user, no session, no sign-in."""
        nobody = dict.fromkeys(("sid", "auth_time", "amr"))
        return self.token_for(client_id, client_id=client_id, scopes=scopes, claims=nobody)

    def expired(self, subject: str = "user", **options: Unpack[TokenOptions]) -> str:
        """A token that was good until a minute ago."""
        options["lifetime"], options["issued_ago"] = 300, 360
        return self.token_for(subject, **options)

    def wrong_audience(self, subject: str = "user", **options: Unpack[TokenOptions]) -> str:
        """A token of this issuer for another service."""
        options["audience"] = "https://other-service.test"
        return self.token_for(subject, **options)

    def wrong_issuer(self, subject: str = "user", **options: Unpack[TokenOptions]) -> str:
        """A token of this issuer's key that says that another made it."""
        options["claims"] = {**options.get("claims", {}), "iss": "https://other-issuer.test"}
        return self.token_for(subject, **options)

    def forged(self, subject: str = "user", **options: Unpack[TokenOptions]) -> str:
        """A token that names this issuer's key and is signed by another."""
        forger = SigningKey.make(self._signers[-1].kid)
        return forger.sign(self.claims_for(subject, **options), header=options.get("header"))

    def unknown_key(self, subject: str = "user", **options: Unpack[TokenOptions]) -> str:
        """A token that names a key which this issuer never had."""
        options["header"] = {**options.get("header", {}), "kid": "never-published"}
        return self.token_for(subject, **options)

    def refresh_token(self) -> str:
        """Text of the form of a refresh token, which no service takes for an access token."""
        return "ktr_" + "0" * 100

    def rotate(self) -> str:
        """Sign with a new key from now on; the old ones stay published. Answers the new key's ``kid``."""
        kid = f"key-{next(self._numbers)}"
        self._signers = (*self._signers, SigningKey.make(kid))
        return kid

    def retire(self, *, keep: int = 1) -> None:
        """Publish the newest ``keep`` keys alone: tokens of the older ones are refused."""
        self._signers = self._signers[-keep:]

    def revoke(self, token: str) -> None:
        """Revoke the session of ``token``: this issuer's verifiers refuse all tokens of it."""
        self._revoked.add(str(parse(token).claims["sid"]))

    def is_revoked(self, principal: Principal) -> bool:
        """Whether the session of ``principal`` was revoked here; the answer for this issuer's verifiers."""
        return principal.session_id in self._revoked

    def keys(self) -> dict[str, VerifyingKey]:
        """The published keys by name."""
        return {signer.kid: signer.verifying for signer in self._signers}

    def live_keys(self) -> Mapping[str, VerifyingKey]:
        """The published keys as they are at each later moment, for a ``Verifier`` of your own."""
        return _Published(self)

    def jwks(self) -> dict[str, object]:
        """The published key set, as a service would answer it."""
        return {"keys": [signer.jwk for signer in self._signers]}

    def claims_for(self, subject: str, **options: Unpack[TokenOptions]) -> dict[str, object]:
        """What a token of these options says (RFC 9068 section 2.2)."""
        number, issued_ago = next(self._numbers), options.get("issued_ago", 0)
        now = self.clock.now_ms() // 1000
        made = {
            "iss": self.issuer,
            "sub": subject,
            "aud": options.get("audience", self.audience),
            "iat": now - issued_ago,
            "exp": now - issued_ago + options.get("lifetime", 300),
            "jti": f"token-{number}",
            "client_id": options.get("client_id", "first-party"),
            "sid": options.get("session", f"session-{number}"),
            "auth_time": now - max(options.get("age", 0), issued_ago),
            "amr": list(options.get("amr", ("pwd",))),
            "acr": options.get("acr", DEFAULT_ACR),
        }
        if scope := " ".join(options.get("scopes", ())):
            made["scope"] = scope
        return made | dict(options.get("claims", {}))


class _Published(Mapping[str, VerifyingKey]):
    """The keys of an issuer as they are at each moment."""

    def __init__(self, issuer: OfflineIssuer) -> None:
        self._issuer = issuer

    def __getitem__(self, kid: str) -> VerifyingKey:
        return self._issuer.keys()[kid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._issuer.keys())

    def __len__(self) -> int:
        return len(self._issuer.keys())
