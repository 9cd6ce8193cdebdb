"""The pytest plugin. It is loaded in every run of every project that has the library, so it imports nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from keyturn.testing.issuer import OfflineIssuer


@pytest.fixture
def keyturn_issuer() -> OfflineIssuer:
    """An issuer in this process, with keys of its own: ``keyturn_issuer.token_for("user", scopes=["notes:read"])``."""
    from keyturn.testing.issuer import OfflineIssuer

    return OfflineIssuer()
