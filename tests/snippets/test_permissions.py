"""Permissions: whoever was given none has none."""

from __future__ import annotations

import pytest
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tests.snippets.conftest import must, sides
from tests.support.django_base import set_up

set_up()


@permission_required("notes.delete_note", raise_exception=True)
def delete_note(_):
    return HttpResponse("deleted")


urlpatterns = [path("delete", delete_note), path("open", lambda request: HttpResponse(request.user.pk))]


@pytest.fixture
def snippet():
    with override_settings(
        ROOT_URLCONF=__name__, MIDDLEWARE=["tests.snippets.copied.django_users.DynamoUserMiddleware"]
    ):
        yield {}


@pytest.fixture
def keyturn(keyturn_issuer):
    setting = {"verifier": keyturn_issuer.verifier(), "permissions": {"notes.delete_note": "notes:delete"}}
    guard = "keyturn.django.middleware.GuardMiddleware"
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[guard], KEYTURN=setting):
        yield {"Authorization": f"Bearer {keyturn_issuer.token_for('ada')}"}


@pytest.mark.parametrize(
    "side", sides("has_perm answers True to make the admin work, and so it does to everybody everywhere"), indirect=True
)
def test_who_was_given_no_permission_has_none(side):
    assert Client().get("/open", headers=side).content == b"ada"
    must(Client().get("/delete", headers=side).status_code == 403)


def test_who_was_given_it_has_it(keyturn, keyturn_issuer):
    """Otherwise nobody would, and the property would be empty."""
    token = keyturn_issuer.token_for("ada", scopes=["notes:delete"])
    assert Client().get("/delete", headers={"Authorization": f"Bearer {token}"}).content == b"deleted"
