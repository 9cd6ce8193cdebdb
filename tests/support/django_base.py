"""The settings that Django is given once a process; each test lays its own over them with ``override_settings``."""

from __future__ import annotations

import django
from django.conf import settings


def set_up() -> None:
    """Configures Django, where nobody has: no database, and Django's own users and sites of nobody."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY="not-a-secret",
            ALLOWED_HOSTS=["testserver"],
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
            USE_TZ=True,
        )
        django.setup()
