"""Notes that belong to their owner, with Django."""

import json
import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views import View
from notes_table import NotesTable, text_of

from keyturn import NotFound
from keyturn.django.requests import principal_of
from keyturn.django.views import GuardMixin, owns

table = NotesTable(os.environ["NOTES_TABLE"])


class Notes(GuardMixin, View):
    """The caller's notes."""

    def get(self, _request: HttpRequest) -> JsonResponse:
        """All of them."""
        return JsonResponse(table.of(self.principal), safe=False)

    def post(self, request: HttpRequest) -> JsonResponse:
        """A new one."""
        text = _text_of(request)
        if text is None:
            return JsonResponse({"error": "text is needed"}, status=422)
        return JsonResponse(table.add(self.principal, text), status=201)


class Note(GuardMixin, View):
    """One note of the caller; another's is not there."""

    def get(self, _request: HttpRequest, note_id: str) -> JsonResponse:
        """Read it."""
        note = table.get(self.principal, note_id)
        if note is None:
            raise NotFound
        return JsonResponse(note)

    def delete(self, _request: HttpRequest, note_id: str) -> HttpResponse:
        """Remove it."""
        if not table.remove(self.principal, note_id):
            raise NotFound
        return HttpResponse(status=204)


@owns("user_id")
def of_user(request: HttpRequest, user_id: str) -> JsonResponse:
    """The same list, by a path that names its owner."""
    del user_id
    return JsonResponse(table.of(principal_of(request)), safe=False)


def _text_of(request: HttpRequest) -> str | None:
    try:
        return text_of(json.loads(request.body))
    except ValueError:
        return None


urlpatterns = [
    path("notes", Notes.as_view()),
    path("notes/<str:note_id>", Note.as_view()),
    path("users/<str:user_id>/notes", of_user),
]
