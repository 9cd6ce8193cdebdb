"""The harness: it counts what a server spends, refuses wrong answers, and reports ratios of one run."""

from __future__ import annotations

import os
import re
import sys
import textwrap

import pytest

from benchmarks.harness.measure import Beside, Figures, Sample, Target, measure, measure_beside
from benchmarks.harness.processes import Program, free_port, run
from benchmarks.harness.wire import Wire, WrongAnswer
from benchmarks.report import Run, lines
from benchmarks.targets.parts import Parts

SERVER = textwrap.dedent(
    """
    import sys, time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def do_GET(self):
            if self.path == "/later":
                self.answer()
                self.wfile.flush()
                self.compute(100)
            else:
                self.compute(float(self.path[1:] or 0))
                self.answer()

        def compute(self, milliseconds):
            until = time.thread_time() + milliseconds / 1000
            while time.thread_time() < until:
                pass

        def answer(self):
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
    assert len(little.latencies_seconds) == little.operations
    assert Figures([little]).pooled_ms(0.99) == little.p99_ms


async def test_what_a_server_does_after_its_answer_counts_where_that_is_waited_for(running):
    async def ask(wire, _number):
        await wire.expect(200, "GET", "/later")

    target = Target(running=running, operations={}, idle_memory_bytes=0)
    at_once, later = [await measure(target, ask, connections=1, seconds=0.05, after_seconds=after) for after in (0, 1)]
    assert later.cpu_ms - at_once.cpu_ms > 25
    assert later.per_second > later.operations


async def test_a_light_request_is_timed_alone_and_beside_a_heavy_one(running):
    async def light(wire, _number):
        await wire.expect(200, "GET", "/0")

    async def heavy(wire, _number):
        await wire.expect(200, "GET", "/40")

    target = Target(running=running, operations={}, idle_memory_bytes=0)
    found = await measure_beside(target, light, heavy, heavy_connections=3, seconds=0.7)
    assert found.alone_p50_ms <= found.alone_p99_ms
    assert found.beside_p50_ms > 2 * found.alone_p50_ms
    assert found.heavy_per_second > 0


async def test_what_is_compared_with_servers_is_measured_in_a_thread_of_its_own():
    cores, parts = os.sched_getaffinity(0), Parts()
    found = await parts.measure(0.01)
    assert found["hash, argon2-cffi"] > found["ES256 check"] > found["ES256 signature"] > 0
    assert os.sched_getaffinity(0) == cores


async def test_a_wrong_answer_ends_the_run(running):
    async with Wire(running.url) as wire:
        with pytest.raises(WrongAnswer):
            await wire.expect(204, "GET", "/0")


def test_a_server_that_does_not_answer_is_told_with_its_log(tmp_path):
    command = (sys.executable, "-c", "raise SystemExit('out of order')")
    program = Program(name="broken", command=command, folder=tmp_path, port=free_port())
    with pytest.raises(SystemExit, match="out of order"), run(program, tmp_path / "log"):
        pytest.fail("it answers")


def sample(cpu_ms, *, operations=100):
    return Sample(operations=operations, cpu_ms=cpu_ms, per_second=9, p50_ms=1, p99_ms=2, latencies_seconds=[0.001])


def figures(*cpu_ms):
    return Figures([sample(one) for one in cpu_ms])


def test_ratios_are_of_the_same_round_of_the_same_run():
    """A machine that is half as fast in the second round makes no ratio of its own."""
    done = Run(rounds=3, seconds=1, connections=1, engine="an engine", skipped={"Peer": "it is not here"})
    done.figures["keyturn", "sign in"] = figures(24.0, 48.0, 25.0)
    done.figures["floors", "FastAPI hello"] = figures(0.2, 0.2, 0.2)
    done.parts_ms = {"hash, argon2-cffi": [20.0, 40.0, 20.0]}
    text = "\n".join(lines(done))
    assert "| sign in | 25.00 | 20.00 (the bare hash) | 1.20 | 1.20 to 1.25 | 1.20 | 1.05 |" in text
    assert "| refresh |" not in text
    assert "- Peer: it is not here." in text


def test_a_floor_of_several_parts_is_their_sum():
    done = Run(rounds=1, seconds=1, connections=1, engine="an engine", skipped={})
    done.figures["keyturn", "refresh"], done.figures["floors", "FastAPI hello"] = figures(1.2), figures(0.2)
    done.parts_ms = {"ES256 signature": [0.1], "DynamoDB call, aiohttp": [0.15], "DynamoDB call, lean": [0.05]}
    text = "\n".join(lines(done))
    assert re.search(
        r"^\| refresh \| 1\.20 \| 0\.60 \(.*\) \| 2\.00 \| 2\.00 to 2\.00 \| 2\.00 \| 2\.2 \|$", text, re.MULTILINE
    )
    assert re.search(r"^\| refresh, beside .*\| 1\.20 \| 0\.40 \(.*\) \| 3\.00 ", text, re.MULTILINE)


def test_a_row_that_a_peer_wins_is_named():
    done = Run(rounds=3, seconds=1, connections=1, engine="an engine", skipped={})
    done.figures["keyturn", "sign in"] = figures(28.0, 30.0, 56.0)
    done.figures["keyturn-libsodium", "sign in"] = figures(15.0, 15.0, 15.0)
    done.figures["quick", "sign in"] = figures(25.2, 31.0, 50.4)
    done.figures["slow", "sign in"] = figures(29.0, 31.0, 50.0)
    text = "\n".join(lines(done)).partition("## Where a peer takes less")[2].partition("##")[0]
    assert text.split("\n- ")[1:] == ["sign in: quick, 0.90 of Keyturn's; less in 2 of 3 rounds\n\n"]


def test_waits_beside_sign_ins_stand_with_those_alone():
    done = Run(rounds=1, seconds=1, connections=1, engine="an engine", skipped={})
    for name, p99_ms in {"slow": 300.0, "quick": 9.0}.items():
        one = Beside(alone_p50_ms=1, alone_p99_ms=4, beside_p50_ms=2, beside_p99_ms=p99_ms, heavy_per_second=31)
        done.beside[name] = [one]
    text = "\n".join(lines(done))
    assert text.index("| quick | 1.0 | 2.0 | 4.0 | 9.0 | 31 |") < text.index("| slow | 1.0 | 2.0 | 4.0 | 300.0 | 31 |")


def test_the_raw_output_has_each_round_and_the_versions_are_those_that_are_pinned():
    done = Run(rounds=2, seconds=1, connections=1, engine="an engine", skipped={"django": "it is not here"})
    done.figures["keyturn", "refresh"] = Figures([sample(0.5, operations=count) for count in (123, 456)])
    done.parts_ms = {"ES256 check": [0.11, 0.12]}
    text = "\n".join(lines(done))
    raw = text.partition("## Every round")[2]
    assert re.search(r"^keyturn +refresh +1 +123 +0\.500 ", raw, re.MULTILINE)
    assert re.search(r"^keyturn +refresh +2 +456 +0\.500 ", raw, re.MULTILINE)
    assert re.search(r"^ES256 check +0\.110 0\.120$", raw, re.MULTILINE)
    assert re.search(r"^- keyturn: Python [\d.]+, fastapi [\d.]+, .*; engine an engine$", text, re.MULTILINE)
    assert re.search(r"^- oidc-provider: oidc-provider [\d.]+, @aws-sdk/client-dynamodb [\d.]+", text, re.MULTILINE)
    assert re.search(r"^- flask: flask [\d.]+, flask-jwt-extended [\d.]+, boto3 [\d.]+", text, re.MULTILINE)
    assert "- django: django" not in text
