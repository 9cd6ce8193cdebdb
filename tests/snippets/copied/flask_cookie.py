"""Signing in with Flask's own session, which is a signed cookie. Faults included: see docs/why-not-the-snippet.md."""

from __future__ import annotations

from flask import Flask, jsonify, session


def create_app():
    app = Flask(__name__)
    app.secret_key = "not-a-secret"

    @app.post("/sign-in/<user>")
    def sign_in(user):
        session["user_id"] = user
        return jsonify(ok=True)

    @app.post("/sign-out")
    def sign_out():
        session.clear()
        return jsonify(ok=True)

    @app.get("/whoami")
    def whoami():
        return jsonify(user=session.get("user_id"))

    return app
