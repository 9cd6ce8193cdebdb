"""A Django session engine on DynamoDB, as it is commonly written. Faults included: see docs/why-not-the-snippet.md."""

from __future__ import annotations

import time

from django.contrib.sessions.backends.base import CreateError, SessionBase


class SessionStore(SessionBase):
    table = None

    def load(self):
        item = self.table.get_item(Key={"sid": self.session_key}).get("Item")
        return self.decode(item["data"]) if item else {}

    def exists(self, session_key):
        return "Item" in self.table.get_item(Key={"sid": session_key})

    def create(self):
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create=False):
        if self.session_key is None:
            return self.create()
        if must_create and self.exists(self.session_key):
            raise CreateError
        self.table.put_item(
            Item={
                "sid": self.session_key,
                "data": self.encode(self._get_session(no_load=must_create)),
                "ttl": int(time.time()) + self.get_expiry_age(),
            }
        )
        return None

    def delete(self, session_key=None):
        self.table.delete_item(Key={"sid": session_key or self.session_key})
