"""Every refusal of the guard library, on one page.

GuardError
├── NoToken 401               missing_token      no bearer token was sent: the challenge names no error
├── TokenError 401            invalid_token      a token that is not accepted; ``code`` says why, to the log only
│   ├── BadAuthorization      bad_authorization  not exactly one header with exactly one bearer token
│   ├── Malformed             malformed          not three canonical base64url segments of strict JSON
│   ├── TooLarge              too_large          longer than an access token can be
│   ├── WrongType             wrong_type         another kind of token: ``typ`` is not that of an access token
│   ├── WrongAlgorithm        wrong_algorithm    not on the list, or not the one algorithm of the key
│   ├── BadHeader             bad_header         a header member that we never issue, or a ``kid`` of wrong shape
│   ├── UnknownKey            unknown_key        a well-formed ``kid`` that the key set does not hold
│   ├── BadSignature          bad_signature      not signed by that key
│   ├── MissingClaim          missing_claim      RFC 9068 section 2.2
│   ├── InvalidClaim          invalid_claim      a claim of the wrong type, form or range
│   ├── WrongIssuer           wrong_issuer
│   ├── WrongAudience         wrong_audience
│   ├── NotYetValid           not_yet_valid
│   ├── Expired               expired
│   └── Revoked               revoked            valid, but its session or its user has been revoked
├── StepUpRequired 401        insufficient_user_authentication   signed in too long ago or too weakly (RFC 9470)
├── InsufficientScope 403     insufficient_scope
├── NotFound 404              not_found          not there, or not the caller's: the same answer
├── Unavailable 503           unavailable        we cannot know; ``code`` says what, to the log only
│   ├── KeysUnavailable       keys_unavailable   no key set that is young enough, and the issuer does not answer; or
│   │                                            an unknown key, and the issuer was asked for such ones often enough
│   └── RevocationUnknown     revocation_unknown what is known of revocations is too old
├── IssuerFault               issuer_fault       an answer of the issuer that cannot be used; ends in the log
└── KeyRefused                key_refused        a JWK or a JWK set that must not be used

Whoever sent the token sees one answer for all of the second kind: 401 and ``invalid_token`` (RFC 6750 section 3.1).
Neither ``code`` nor a message ever holds a part of the token, its claims or a key. ``keyturn.challenge`` turns an error
into status, headers and body.
"""

from __future__ import annotations

from typing import ClassVar


class GuardError(Exception):
    """The root. ``code`` is stable; the message is a fixed sentence for the log.

    ``status``, ``public_code`` and ``title`` are what the sender of the request may see.
    """

    code: ClassVar[str] = "guard_error"
    status: ClassVar[int] = 500
    public_code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side."


class NoToken(GuardError):
    """No Authorization header, or one of another scheme."""

    code = "missing_token"
    status = 401
    public_code = "missing_token"
    title = "A valid access token is needed."


class TokenError(GuardError):
    """The access token is not accepted."""

    code: ClassVar[str] = "invalid_token"
    status = 401
    public_code = "invalid_token"
    title = NoToken.title


class BadAuthorization(TokenError):
    """What was sent is not exactly one Authorization header with exactly one bearer token."""

    code = "bad_authorization"


class Malformed(TokenError):
    """The text is not a JWS of three canonical segments holding strict JSON."""

    code = "malformed"


class TooLarge(TokenError):
    """The text, or its header, is longer than an access token can be."""

    code = "too_large"


class WrongType(TokenError):
    """The header's ``typ`` is missing or names another kind of token."""

    code = "wrong_type"


class WrongAlgorithm(TokenError):
    """The header's ``alg`` is not allowed, or is not the one algorithm of the key."""

    code = "wrong_algorithm"


class BadHeader(TokenError):
    """The header has a member that we never issue, or a ``kid`` of the wrong shape."""

    code = "bad_header"


class UnknownKey(TokenError):
    """The key set has no key of this (well-formed) ``kid``."""

    code = "unknown_key"


class BadSignature(TokenError):
    """The signature is not the key's."""

    code = "bad_signature"


class MissingClaim(TokenError):
    """A claim that RFC 9068 section 2.2 requires is absent."""

    code = "missing_claim"


class InvalidClaim(TokenError):
    """A claim has the wrong type, form or range."""

    code = "invalid_claim"


class WrongIssuer(TokenError):
    """``iss`` is not the expected issuer, character by character."""

    code = "wrong_issuer"


class WrongAudience(TokenError):
    """``aud`` does not name the expected audience."""

    code = "wrong_audience"


class NotYetValid(TokenError):
    """``nbf`` or ``iat`` is in the future by more than the leeway."""

    code = "not_yet_valid"


class Expired(TokenError):
    """``exp`` has come, leeway included."""

    code = "expired"


class Revoked(TokenError):
    """The token is valid, but its session or its user has been revoked since it was issued."""

    code = "revoked"


class StepUpRequired(GuardError):
    """The caller signed in too long ago or too weakly; the challenge says what is asked for (RFC 9470 section 3)."""

    code = "insufficient_user_authentication"
    status = 401
    public_code = "insufficient_user_authentication"
    title = "Sign in again to do this."

    def __init__(self, *, max_age_seconds: int | None = None, acr_values: tuple[str, ...] = ()) -> None:
        super().__init__("the sign-in is too old or too weak")
        self.max_age_seconds = max_age_seconds
        self.acr_values = acr_values


class InsufficientScope(GuardError):
    """The access token lacks one of ``scopes``, the scopes that are needed."""

    code = "insufficient_scope"
    status = 403
    public_code = "insufficient_scope"
    title = "The access token does not allow this."

    def __init__(self, *scopes: str) -> None:
        super().__init__("a scope is missing")
        self.scopes = scopes


class NotFound(GuardError):
    """Not there, or not the caller's: nobody is told which."""

    code = "not_found"
    status = 404
    public_code = "not_found"
    title = "There is nothing here."


class Unavailable(GuardError):
    """Whether the token is good cannot be known just now; ``retry_after_seconds`` from now it may be."""

    code: ClassVar[str] = "unavailable"
    status = 503
    public_code = "unavailable"
    title = "The service is not available at the moment. Try again shortly."

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class KeysUnavailable(Unavailable):
    """No key set that is young enough, and the issuer does not answer with a new one; or may not be asked again yet."""

    code = "keys_unavailable"


class RevocationUnknown(Unavailable):
    """What is known of revocations is older than its bound."""

    code = "revocation_unknown"


class IssuerFault(GuardError):
    """The issuer's answer, or its absence, cannot be used. The message is a fixed sentence that names the fault."""

    code = "issuer_fault"


class KeyRefused(GuardError):
    """A JWK, or a set of them, that must not be used for verifying."""

    code = "key_refused"
