"""The guard library: verify Keyturn's access tokens and enforce ownership in other services.

Import each name from its page; this one imports nothing, so that it costs nothing:

- ``keyturn.verifier.verify`` turns a token into a ``keyturn.principal.Principal``
- ``keyturn.keys.KeySet`` and ``VerifyingKey`` hold what to verify it with
- ``keyturn.errors.TokenError`` is every refusal
"""
