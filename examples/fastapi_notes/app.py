"""Notes that belong to their owner, with FastAPI."""

import os
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from notes_guard import verifier
from notes_table import NotesTable
from pydantic import BaseModel, Field

from keyturn import NotFound, Principal
from keyturn.fastapi import RESPONSES, Guard

app = FastAPI(title="Notes", responses=RESPONSES)
guard = Guard(verifier)
guard.install(app)
table = NotesTable(os.environ["NOTES_TABLE"])

Caller = Annotated[Principal, guard.signed_in]


class NewNote(BaseModel):
    """What a note is made of."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


@app.exception_handler(RequestValidationError)
async def refuse(_request: Request, _error: Exception) -> JSONResponse:
    """FastAPI's own answer repeats what was sent, and fails where that is no Unicode text."""
    return JSONResponse({"error": "text is needed"}, status_code=422)


@app.post("/notes", status_code=201)
def write(new: NewNote, caller: Caller) -> dict[str, Any]:
    """A new note of the caller."""
    return table.add(caller, new.text)


@app.get("/notes")
def mine(caller: Caller) -> list[dict[str, Any]]:
    """The caller's notes."""
    return table.of(caller)


@app.get("/notes/{note_id}")
def read(note_id: str, caller: Caller) -> dict[str, Any]:
    """One note of the caller; another's is not there."""
    note = table.get(caller, note_id)
    if note is None:
        raise NotFound
    return note


@app.delete("/notes/{note_id}", status_code=204)
def remove(note_id: str, caller: Caller) -> None:
    """Remove a note of the caller; another's is not there."""
    if not table.remove(caller, note_id):
        raise NotFound


@app.get("/users/{user_id}/notes")
def of_user(user_id: str, caller: Annotated[Principal, guard.owns("user_id")]) -> list[dict[str, Any]]:
    """The same list, by a path that names its owner."""
    del user_id
    return table.of(caller)
