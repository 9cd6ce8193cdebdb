"""Notes that belong to their owner, with Flask."""

import os
from typing import Any

from flask import Flask, abort, jsonify, request
from notes_guard import verifier
from notes_table import NotesTable, text_of

from keyturn import NotFound
from keyturn.flask import Guard, current_principal

app = Flask(__name__)
guard = Guard(verifier, app)
table = NotesTable(os.environ["NOTES_TABLE"])


@app.post("/notes")
@guard.signed_in
def write() -> tuple[Any, int]:
    """A new note of the caller."""
    text = text_of(request.get_json())
    if text is None:
        abort(422)
    return jsonify(table.add(current_principal, text)), 201


@app.get("/notes")
@guard.signed_in
def mine() -> Any:
    """The caller's notes."""
    return jsonify(table.of(current_principal))


@app.get("/notes/<note_id>")
@guard.signed_in
def read(note_id: str) -> Any:
    """One note of the caller; another's is not there."""
    note = table.get(current_principal, note_id)
    if note is None:
        raise NotFound
    return jsonify(note)


@app.delete("/notes/<note_id>")
@guard.signed_in
def remove(note_id: str) -> tuple[str, int]:
    """Remove a note of the caller; another's is not there."""
    if not table.remove(current_principal, note_id):
        raise NotFound
    return "", 204


@app.get("/users/<user_id>/notes")
@guard.owns("user_id")
def of_user(user_id: str) -> Any:
    """The same list, by a path that names its owner."""
    del user_id
    return jsonify(table.of(current_principal))
