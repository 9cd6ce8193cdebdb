"""A DynamoDB that answers as it may: what is not asked for strongly consistently comes from before.

Engines answer every read with the newest. DynamoDB promises that only for ConsistentRead on a table; an index is always
behind. So this stands between a client and the engine, and repeats the first answer that it gave to such a read.
"""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

READS = {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}


def may_be_stale(operation, request):
    """Whether DynamoDB may answer this from before."""
    if operation == "BatchGetItem":
        return not all(part.get("ConsistentRead") for part in request["RequestItems"].values())
    # TransactGetItems is serializable; a query of an index cannot ask for consistency.
    return operation in READS - {"TransactGetItems"} and not request.get("ConsistentRead")


@contextmanager
def stale_reads(upstream):
    """The address of such a DynamoDB in front of ``upstream``, and the operations that it answered from before."""
    seen: dict[tuple[str, bytes], tuple[int, dict[str, str], bytes]] = {}
    repeated: list[str] = []
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            stale = may_be_stale(operation, json.loads(body))
            with lock:
                known = seen.get((operation, body)) if stale else None
            if known:
                repeated.append(operation)
            answer = known or forward(self.headers, body)
            if stale:
                with lock:
                    seen[operation, body] = answer
            status, headers, text = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    def forward(headers, body):
        connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=20)
        kept = {name: value for name, value in headers.items() if name.lower() not in {"host", "connection"}}
        connection.request("POST", "/", body, kept)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        names = ("Content-Type", "x-amz-crc32", "x-amzn-RequestId")
        return response.status, {name: response.headers[name] for name in names if name in response.headers}, text

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", repeated
        server.shutdown()
        thread.join(timeout=5)
