"""uvicorn's fast parser, with a bound on the memory that a request may take outside of its body.

httptools collects a header until it ends, however long it is, and trailers after a chunked body as headers that nobody
reads. A head that arrives complete and is too long is answered by ``web/request_head`` with a 431; this ends
connections that never come to the end. A wish for a WebSocket is answered as the request that it stands in.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 65_536


class BoundedHead(HttpToolsProtocol):
    """Ends a connection that sends over ``HEAD_LIMIT_BYTES`` in one request that are no part of its body."""

    _beside_bytes = 0
    _piece_bytes = 0

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._beside_bytes = self._piece_bytes

    def on_body(self, body: bytes) -> None:
        """A piece of the body, which the body limit bounds."""
        self._beside_bytes -= len(body)
        super().on_body(body)

    def data_received(self, data: bytes) -> None:
        """Count what is not of the body: request line, headers, chunk sizes, trailers."""
        self._piece_bytes = len(data)
        self._beside_bytes += len(data)
        super().data_received(data)
        if self._beside_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: there is nothing to upgrade to, and whoever asks for it would fill the log."""
