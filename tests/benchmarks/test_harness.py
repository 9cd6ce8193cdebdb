"""The harness: it counts what a server spends, refuses wrong answers, and reports ratios of one run."""

from __future__ import annotations

import sys
import textwrap

import pytest

from benchmarks.harness.measure import Figures, Sample, Target, measure
from benchmarks.harness.processes import Program, free_port, run
from benchmarks.harness.wire import Wire, WrongAnswer
from benchmarks.report import Run, lines

SERVER = textwrap.dedent(
    """
    import sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            until = time.thread_time() + float(self.path[1:] or 0) / 1000
            while time.thread_time() < until:
                pass
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """
)


@pytest.fixture
def running(tmp_path):
    (tmp_path / "server.py").write_text(SERVER)
    port = free_port()
    command = (sys.executable, str(tmp_path / "server.py"), str(port))
    with run(Program(name="busy", command=command, folder=tmp_path, port=port), tmp_path / "log") as running:
        yield running
    assert running.process.poll() is not None


async def spent(running, milliseconds):
    async def ask(wire, _number):
        await wire.expect(200, "GET", f"/{milliseconds}")

    target = Target(running=running, operations={}, idle_memory_bytes=0)
    return await measure(target, ask, connections=2, seconds=1.5)


async def test_cpu_time_is_counted_by_operation(running):
    little, much = await spent(running, 2), await spent(running, 12)
    assert 7 < much.cpu_ms - little.cpu_ms < 14
    assert little.operations > much.operations > 5


async def test_a_wrong_answer_ends_the_run(running):
    async with Wire(running.url) as wire:
        with pytest.raises(WrongAnswer):
            await wire.expect(204, "GET", "/0")


def test_a_server_that_does_not_answer_is_told_with_its_log(tmp_path):
    command = (sys.executable, "-c", "raise SystemExit('out of order')")
    program = Program(name="broken", command=command, folder=tmp_path, port=free_port())
    with pytest.raises(SystemExit, match="out of order"), run(program, tmp_path / "log"):
        pytest.fail("it answers")


def test_ratios_are_of_the_same_run():
    done = Run(rounds=1, seconds=1, connections=1, skipped={"Peer": "it is not here"})
    for (name, operation), cpu_ms in {("keyturn", "sign in"): 24.0, ("floors", "FastAPI hello"): 0.2}.items():
        sample = Sample(operations=100, cpu_ms=cpu_ms, per_second=1, p50_ms=1, p99_ms=2)
        done.figures[name, operation] = Figures([sample])
    done.in_process = {"hash, argon2-cffi": 20.0}
    text = "\n".join(lines(done))
    assert "| sign in | 24.00 | 20.00 (the bare hash) | 1.20 | 1.05 |" in text
    assert "| refresh |" not in text
    assert "- Peer: it is not here." in text
