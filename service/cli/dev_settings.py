"""The settings of ``keyturn dev``: safe secrets made once under the data folder, the rest for a laptop."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from service.cli.running import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from service.kernel.entropy import Entropy

_SECRETS_FILE = "secrets.env"
_KEY_BYTES = 32
_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to

CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


def brings_its_own_store(environ: Mapping[str, str]) -> str | None:
    """The variable by which somebody chose a DynamoDB, or None.

    Only what the environment says counts: credentials that merely lie in a file of the home folder must not make a
    command for trying things out write to a real account.
    """
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL", *CREDENTIAL_VARIABLES):
        if environ.get(name):
            return name
    return None


def engine_variables(endpoint_url: str) -> dict[str, str]:
    """How AWS's own variables name the embedded engine; the credentials are those of nobody."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "keyturn",
        "AWS_SECRET_ACCESS_KEY": "embedded-engine",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def dev_variables(*, host: str, port: int, data: Path, entropy: Entropy) -> dict[str, str]:
    """Our settings where the environment has none."""
    shown = "127.0.0.1" if host in _ANY_ADDRESS else f"[{host}]" if ":" in host else host
    return {
        "KEYTURN_ENV": "dev",
        # A laptop may have no network, and registration must not wait for it.
        "KEYTURN_BREACH_LIST": "offline",
        "KEYTURN_ISSUER": f"http://{shown}:{port}",
        "KEYTURN_MAIL_URL": f"maildir:{(data / 'mail').absolute()}",
        **_secrets(data, entropy),
    }


def _secrets(data: Path, entropy: Entropy) -> dict[str, str]:
    """Made once: with others, neither the users nor the sessions under ``data`` would be found again."""
    path = data / _SECRETS_FILE
    if not path.exists():

        def key() -> str:
            return base64.b64encode(entropy.token_bytes(_KEY_BYTES)).decode()

        lines = [
            f"KEYTURN_REFRESH_KEYS=1:{key()}",
            f"KEYTURN_KEY_ENCRYPTION_KEYS=1:{key()}",
            f"KEYTURN_IDENTITY_KEY={key()}",
        ]
        write_private(path, "\n".join(lines) + "\n")
    pairs = (line.partition("=") for line in path.read_text().splitlines() if line)
    return {name: value for name, _, value in pairs}
