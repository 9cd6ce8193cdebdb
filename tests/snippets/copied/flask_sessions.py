"""Flask's session in DynamoDB, as it is commonly written. Faults included: see docs/why-not-the-snippet.md."""

from __future__ import annotations

import json
import time
import uuid

from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

LIFETIME = 3600


class DynamoSession(CallbackDict, SessionMixin):
    def __init__(self, initial, sid):
        super().__init__(initial)
        self.sid = sid


class DynamoSessionInterface(SessionInterface):
    def __init__(self, table):
        self.table = table

    def open_session(self, app, request):
        sid = request.cookies.get(app.config["SESSION_COOKIE_NAME"]) or str(uuid.uuid4())
        item = self.table.get_item(Key={"sid": sid}).get("Item")
        return DynamoSession(json.loads(item["data"]) if item else {}, sid)

    def save_session(self, app, session, response):
        self.table.put_item(
            Item={
                "sid": session.sid,
                "data": json.dumps(dict(session)),
                "ttl": int(time.time()) + LIFETIME,
            }
        )
        response.set_cookie(app.config["SESSION_COOKIE_NAME"], session.sid, httponly=True)
