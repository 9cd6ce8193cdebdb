"""A worker's process: what is done once it is ready."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import KEY

# In a process of its own: what is frozen stays so. No request is made, so no store is needed. What was frozen before
# the lifespan began is let go, so that what is counted was frozen at its end.
SERVING = """
import asyncio, gc, sys
from service.signin.flows import SignIn
from service.workers import worker_app

async def main():
    app = worker_app(hash_slots=3)
    gc.unfreeze()
    async with app.router.lifespan_context(app):
        print(gc.get_freeze_count(), len(gc.get_objects()), sys.getswitchinterval())
        print(app.state.services.get(SignIn).hasher.pool.slots)

asyncio.run(main())
"""


def test_a_worker_leaves_the_collector_nothing_old_yields_soon_and_hashes_as_it_was_told(tmp_path):
    environ = {
        **os.environ,
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "KEYTURN_ENV": "dev",
        "KEYTURN_ISSUER": "http://127.0.0.1:8000",
        "KEYTURN_REFRESH_KEYS": f"1:{KEY}",
        "KEYTURN_KEY_ENCRYPTION_KEYS": f"1:{KEY}",
        "KEYTURN_IDENTITY_KEY": KEY,
        "KEYTURN_BREACH_LIST": "offline",
        "KEYTURN_MAIL_URL": f"maildir:{tmp_path}",
        "KEYTURN_LOG_LEVEL": "error",
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVING], env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    frozen, left, switch_seconds, slots = map(float, done.stdout.split())
    assert frozen > 50_000
    assert left < frozen / 50
    assert switch_seconds < sys.getswitchinterval() / 2
    assert slots == 3


def test_what_mails_need_is_loaded_beside_the_event_loop_once_the_start_is_over():
    late = "import sys; from service.workers import load_late; print('jinja2' in sys.modules); load_late(0.0); "
    show = "print([name in sys.modules for name in ('jinja2', 'aiosmtplib')])"
    done = subprocess.run([sys.executable, "-c", late + show], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.split("\n")[:2] == ["False", "[True, True]"]
