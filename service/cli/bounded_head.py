"""uvicorn's fast parser, with a bound on the memory that a request's head may take before it is complete.

httptools collects a header until it ends, however long it is. What arrives complete and is too long is answered by
``web/request_head`` with a 431; this ends connections that never come to the end.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 65_536


class BoundedHead(HttpToolsProtocol):
    """Ends a connection whose request line and headers grow over ``HEAD_LIMIT_BYTES``."""

    _head_bytes = 0
    _in_head = False

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes, self._in_head = 0, True

    def on_headers_complete(self) -> None:
        """Its head is complete."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count while the head is not complete."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
