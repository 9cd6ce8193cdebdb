"""An issuer that answers on a loopback address, counts what it is asked, and does as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keyturn import Bounds, Verifier
from keyturn.issuer_url import WELL_KNOWN
from keyturn.testing.issuer import OfflineIssuer

AUDIENCE = "https://notes.example.com"
JWKS_PATH = "/.well-known/jwks.json"
JSON = {"Content-Type": "application/json"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.owner.answer(self)

    def log_message(self, *_):
        """Tests are quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when many come at once.
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A guard that hangs up early is what some tests are about."""


class LiveIssuer(OfflineIssuer):
    """An issuer with an address. ``asked`` lists the paths it was asked for."""

    def __init__(self, server, **options):
        super().__init__(issuer=f"http://127.0.0.1:{server.server_port}", audience=AUDIENCE, **options)
        self.asked = []
        self.headers = {"Cache-Control": "public, max-age=300"}
        self.answers = {}
        """Path to ``(status, headers, body)`` or to a function of the handler, instead of the right answer."""
        self.held = None
        """An event that key sets wait for."""
        self.arrived = threading.Event()

    def metadata(self):
        return {"issuer": self.issuer, "jwks_uri": self.issuer + JWKS_PATH}

    def jwks_bytes(self):
        return json.dumps(self.jwks()).encode()

    @property
    def fetches(self):
        return self.asked.count(JWKS_PATH)

    def answer(self, handler):
        self.asked.append(handler.path)
        given = self.answers.get(handler.path)
        if callable(given):
            given(handler)
            return
        documents = {WELL_KNOWN: self.metadata, JWKS_PATH: self.jwks}
        if handler.path == JWKS_PATH and self.held is not None:
            self.arrived.set()
            self.held.wait(20)
        respond(handler, *(given or (200, JSON | self.headers, json.dumps(documents[handler.path]()).encode())))


def respond(handler, status, headers, body):
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(**options):
    server = Server(("127.0.0.1", 0), Handler)
    server.owner = LiveIssuer(server, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.owner
    finally:
        if server.owner.held is not None:
            server.owner.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def live():
    """An issuer on the machine's clock."""
    with serving() as issuer:
        yield issuer


@pytest.fixture
def still(clock):
    """An issuer on a clock that stands still until it is moved."""
    with serving(clock=clock) as issuer:
        yield issuer


@pytest.fixture
def guard_of():
    """Makes verifiers of an issuer; all of them are closed after the test."""
    made = []

    def make(issuer, **options):
        options = {"bounds": Bounds(), "clock": issuer.clock} | options
        made.append(Verifier(issuer.issuer, AUDIENCE, **options))
        return made[-1]

    yield make
    for verifier in made:
        verifier.close()
