"""The sources as trees, and the application without a store."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from service.app import create_app
from service.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def sources():
    """Every module of ours as ``path below the root -> (text, tree)``."""
    files = [
        path for folder in ("keyturn", "service", "alembic-free-migrations") for path in (ROOT / folder).rglob("*.py")
    ]
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted(files)}
    return {name: (text, ast.parse(text)) for name, text in texts.items()}


@pytest.fixture
def make_app(settings):
    """The application as it would be served with changed settings; it is never started."""

    def make(**changes):
        return create_app(settings.model_copy(update=changes), Metrics(registry=CollectorRegistry()))

    return make
