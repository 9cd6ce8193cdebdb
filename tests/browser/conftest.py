"""A real Chromium against a real ``keyturn dev``, with the example app served from an origin of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from tests.support.accounts import new_name
from tests.support.mailbox import Mailbox
from tests.support.people import sign_up
from tests.support.programs import find, need

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("keyturn")
CHROMIUM = find("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVICE_IN_THE_PAGE = "http://127.0.0.1:8000"
HOSTS = ("127.0.0.1", "localhost")
_READY = re.compile(r"Keyturn is ready at (\S+)")
_ENGINES = "KEYTURN_ENGINES_DIR"


class _App(SimpleHTTPRequestHandler):
    """``examples/spa``; its page names the service at the host that it was asked for itself, or at 127.0.0.1."""

    service_port = 0

    def do_GET(self):
        hosts = {"/": self.headers["Host"].partition(":")[0], "/of-another-site": "127.0.0.1"}
        if self.path not in hosts:
            super().do_GET()
            return
        page = (ROOT / "examples/spa/index.html").read_text()
        content = page.replace(SERVICE_IN_THE_PAGE, f"http://{hosts[self.path]}:{self.service_port}").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def app_server():
    """The port of the app's server, and the class that knows the service's port."""
    handler = type("App", (_App,), {})
    serve = functools.partial(handler, directory=str(ROOT / "examples/spa"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield SimpleNamespace(port=server.server_address[1], handler=handler)
        server.shutdown()


@pytest.fixture(scope="module")
def dev(app_server, tmp_path_factory, _aws_of_nobody):
    """``keyturn dev`` that rotates each second and forgives nothing: a lost or doubled refresh ends the session."""
    folder = tmp_path_factory.mktemp("browser")
    log = folder / "log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYTURN_"))}
    environ = {
        **kept,
        **({_ENGINES: os.environ[_ENGINES]} if _ENGINES in os.environ else {}),
        "KEYTURN_CORS_ORIGINS": " ".join(f"http://{host}:{app_server.port}" for host in HOSTS),
        "KEYTURN_THROTTLE": "off",
        "KEYTURN_ARGON2_MEMORY_KIB": "8",
        "KEYTURN_ARGON2_TIME_COST": "1",
        "KEYTURN_REFRESH_GRACE_SECONDS": "0",
        "KEYTURN_CLOCK_SKEW_SECONDS": "0",
        "KEYTURN_STORE_DEADLINE_SECONDS": "1",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [COMMAND, "dev", "--port", "0", "--data", folder / "data"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=folder,
        )
    try:
        url = _wait(process, log)
        app_server.handler.service_port = int(url.rpartition(":")[2])
        yield SimpleNamespace(url=url, mailbox=Mailbox(folder / "data/mail"), app_port=app_server.port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)


def _wait(process, log, *, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if ready := _READY.search(log.read_text()):
            return ready[1]
        time.sleep(0.05)
    raise AssertionError(log.read_text()[-2000:])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium():
    """One browser with a fresh profile; each test has contexts of its own."""
    program = need(CHROMIUM, "Chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def device(chromium):
    """Opens contexts, which share no cookies: each is a device. Whatever the console complains of fails the test."""
    contexts, complaints = [], []

    async def open_device(*, may_complain=False, **options):
        context = await chromium.new_context(locale=options.pop("locale", "en"), **options)
        context.set_default_timeout(10_000)
        if not may_complain:
            context.on("console", lambda message: message.type == "error" and complaints.append(message.text))
            context.on("weberror", lambda error: complaints.append(str(error.error)))
        contexts.append(context)
        return context

    yield open_device
    for context in contexts:
        await context.close()
    assert not complaints


@pytest_asyncio.fixture(loop_scope="module")
async def api(dev):
    """A client beside the browser."""
    async with httpx.AsyncClient(base_url=dev.url, trust_env=False, timeout=20) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def email(dev, api):
    """The address of somebody with an account."""
    address = f"{new_name()}@example.com"
    await sign_up(api, dev.mailbox, address)
    return address


@pytest.fixture(scope="session")
def picture(tmp_path_factory):
    """Takes a screenshot of a page, for looking at after a change of the style: ``await picture(page, name)``.

    Chromium refuses now and then on a busy machine; a third time is an error.
    """
    folder = tmp_path_factory.mktemp("screenshots")

    async def take(page, name):
        for _ in range(2):
            with contextlib.suppress(PlaywrightError):
                return await page.screenshot(path=folder / f"{name}.png")
        return await page.screenshot(path=folder / f"{name}.png")

    return take
