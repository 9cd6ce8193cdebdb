"""Every refusal of the guard library, on one page.

GuardError
├── TokenError            an access token that is not accepted; ``code`` says why, to the log only
│   ├── Malformed         malformed          not three canonical base64url segments of strict JSON
│   ├── TooLarge          too_large          longer than an access token can be
│   ├── WrongType         wrong_type         another kind of token: ``typ`` is not that of an access token
│   ├── WrongAlgorithm    wrong_algorithm    not on the list, or not the one algorithm of the key
│   ├── BadHeader         bad_header         a header member that we never issue, or a ``kid`` of wrong shape
│   ├── UnknownKey        unknown_key        a well-formed ``kid`` that the key set does not hold
│   ├── BadSignature      bad_signature      not signed by that key
│   ├── MissingClaim      missing_claim      RFC 9068 section 2.2
│   ├── InvalidClaim      invalid_claim      a claim of the wrong type, form or range
│   ├── WrongIssuer       wrong_issuer
│   ├── WrongAudience     wrong_audience
│   ├── NotYetValid       not_yet_valid
│   └── Expired           expired
└── KeyRefused            key_refused        a JWK or a JWK set that must not be used

Whoever sent the token sees one answer for all of them: 401 and ``invalid_token`` (RFC 6750 section 3.1).
Neither ``code`` nor the message ever holds a part of the token, its claims or a key.
"""

from __future__ import annotations

from typing import ClassVar


class GuardError(Exception):
    """The root. ``code`` is stable; the message is a fixed sentence for the log."""

    code: ClassVar[str] = "guard_error"


class TokenError(GuardError):
    """The access token is not accepted."""

    code: ClassVar[str] = "invalid_token"


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


class KeyRefused(GuardError):
    """A JWK, or a set of them, that must not be used for verifying."""

    code = "key_refused"
