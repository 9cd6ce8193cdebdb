"""``keyturn openapi``: the document of the API, generated from the application."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.context import fail

_NO_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def openapi(
    check: Annotated[Path | None, typer.Option(help="Compare with this file; exit status 1 when it differs.")] = None,
) -> None:
    """Print the OpenAPI document, or compare it with a file."""
    text = render()
    if check is None:
        typer.echo(text, nl=False)
        return
    if not check.is_file() or check.read_text() != text:
        fail(f"{check} is not what the application says; renew it with: keyturn openapi > {check}")


def render() -> str:
    """The document as YAML; the same whatever the environment says."""
    import yaml

    return yaml.safe_dump(_document(), sort_keys=False, allow_unicode=True, width=120)


def _document() -> dict[str, Any]:
    from prometheus_client import CollectorRegistry

    from service.app import create_app
    from service.settings import load
    from service.telemetry.metrics import Metrics

    # The routes and their documents do not depend on any of these; the keys are never used.
    settings = load(
        {
            "KEYTURN_ENV": "dev",
            "KEYTURN_ISSUER": "http://localhost:8000",
            "KEYTURN_REFRESH_KEYS": f"1:{_NO_KEY}",
            "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{_NO_KEY}",
            "KEYTURN_IDENTITY_KEY": _NO_KEY,
        }
    )
    document: dict[str, Any] = create_app(settings, Metrics(registry=CollectorRegistry())).openapi()
    return document
