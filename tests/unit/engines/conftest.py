"""Engines of a few lines that behave as badly as a test needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from service.engines.port import Launch

_SERVER = """
import http.server, pathlib, signal, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = b'{"TableNames": []}'
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
def stop(*_):
    time.sleep(SAVE_SECONDS)
    pathlib.Path("saved").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if STUBBORN else stop)
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class ScriptedEngine:
    """A Python script in the place of an engine."""

    script: str
    name: str = "ministack"
    why_not: str | None = None

    def available(self):
        return self.why_not

    def command(self, port, data_dir):
        return Launch([sys.executable, "-c", self.script.replace("PORT", str(port))], {})


@pytest.fixture
def scripted():
    return ScriptedEngine


@pytest.fixture
def serving():
    """A scripted engine that answers, and saves on SIGTERM in ``save_seconds`` unless it is ``stubborn``."""

    def make(*, save_seconds=0.0, stubborn=False):
        script = _SERVER.replace("SAVE_SECONDS", str(save_seconds)).replace("STUBBORN", str(stubborn))
        return ScriptedEngine(script=script)

    return make
