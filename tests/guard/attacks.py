"""What a guarded door is sent that must not come in: one list for every framework, as header lines."""

from __future__ import annotations

CHALLENGE = 'Bearer realm="keyturn"'


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def no_token(issuer):
    return {}


def another_scheme(issuer):
    return {"Authorization": "Basic YWRhOnNlY3JldA=="}


def no_token_after_the_scheme(issuer):
    return {"Authorization": "Bearer "}


def two_tokens(issuer):
    return {"Authorization": f"Bearer {issuer.token_for('ada')}, Bearer {issuer.token_for('ada')}"}


def forged(issuer):
    return bearer(issuer.forged("ada"))


def expired(issuer):
    return bearer(issuer.expired("ada"))


def other_audience(issuer):
    return bearer(issuer.wrong_audience("ada"))


def other_issuer(issuer):
    return bearer(issuer.wrong_issuer("ada"))


def unknown_key(issuer):
    return bearer(issuer.unknown_key("ada"))


def refresh_token(issuer):
    return bearer(issuer.refresh_token())


def unsigned(issuer):
    head, body, _ = issuer.token_for("ada", header={"alg": "none"}).split(".")
    return bearer(f"{head}.{body}.")


def an_id_token(issuer):
    return bearer(issuer.token_for("ada", header={"typ": "JWT"}))


def revoked(issuer):
    token = issuer.token_for("ada")
    issuer.revoke(token)
    return bearer(token)


def retired_key(issuer):
    token = issuer.token_for("ada")
    issuer.rotate()
    issuer.retire()
    return bearer(token)


ATTACKS = (
    no_token,
    another_scheme,
    no_token_after_the_scheme,
    two_tokens,
    forged,
    expired,
    other_audience,
    other_issuer,
    unknown_key,
    refresh_token,
    unsigned,
    an_id_token,
    revoked,
    retired_key,
)
