"""A Django project with nothing in it that notes do not need: no database, no sessions, no users of its own."""

import os

SECRET_KEY = os.environ["NOTES_DJANGO_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "keyturn.django.middleware.GuardMiddleware",
]
KEYTURN = {"verifier": "notes_guard.verifier"}
APPEND_SLASH = False
USE_TZ = True
