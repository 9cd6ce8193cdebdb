"""What is left when somebody is killed: the data, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from service.engines.errors import DataFolderBusy
from service.engines.probe import answers
from service.engines.process import EngineProcess

ITEMS = 20
GONE_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Running:
    owner: psutil.Process
    supervisor: psutil.Process
    engine: psutil.Process
    endpoint_url: str


@pytest.fixture
def running(engine, tmp_path):
    """A service process that has written its items to ``tmp_path`` and sits there, in a group of its own."""
    script = Path(__file__).with_name("owner.py")
    started = subprocess.Popen(
        [sys.executable, script, engine.name, tmp_path], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with started:
        endpoint_url = started.stdout.readline().strip()
        owner = psutil.Process(started.pid)
        (supervisor,) = owner.children()
        (child,) = supervisor.children()
        yield Running(owner=owner, supervisor=supervisor, engine=child, endpoint_url=endpoint_url)
        started.kill()
    all_gone(supervisor, child)


def all_gone(*processes):
    _, alive = psutil.wait_procs(processes, timeout=GONE_SECONDS)
    return not alive


async def kept(engine, connect, data_dir):
    async with EngineProcess(engine, data_dir=data_dir) as again, connect(again.endpoint_url) as client:
        return (await client.scan(TableName="kept", ConsistentRead=True))["Count"]


async def test_what_was_acknowledged_survives_the_kill_of_the_service(engine, running, connect, tmp_path):
    running.owner.kill()

    assert await kept(engine, connect, tmp_path) == ITEMS


async def test_no_process_is_left_after_the_kill_of_the_service(running):
    running.owner.kill()

    assert all_gone(running.supervisor, running.engine)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
async def test_what_was_acknowledged_survives_the_kill_of_the_supervisor(engine, running, connect, tmp_path):
    running.supervisor.kill()

    assert all_gone(running.engine)
    running.owner.kill()
    assert await kept(engine, connect, tmp_path) == ITEMS


async def test_what_was_acknowledged_survives_the_kill_of_the_engine(engine, running, connect, tmp_path):
    running.engine.kill()

    assert all_gone(running.engine)
    running.owner.kill()
    assert await kept(engine, connect, tmp_path) == ITEMS


async def test_what_was_acknowledged_survives_the_kill_of_service_and_supervisor_together(
    engine, running, connect, tmp_path
):
    running.supervisor.suspend()
    running.owner.kill()
    running.supervisor.kill()

    assert await kept(engine, connect, tmp_path) == ITEMS


async def test_a_second_service_on_the_same_folder_is_told_so(engine, running, tmp_path):
    with pytest.raises(DataFolderBusy, match="in use by another process"):
        await EngineProcess(engine, data_dir=tmp_path).start()

    assert await answers(running.endpoint_url)


async def test_the_terminals_interrupt_does_not_reach_the_engine(running):
    os.killpg(running.owner.pid, signal.SIGINT)
    running.supervisor.send_signal(signal.SIGINT)

    assert await answers(running.endpoint_url)


async def test_asking_the_supervisor_to_stop_saves_too(engine, running, connect, tmp_path):
    running.supervisor.terminate()

    assert all_gone(running.engine)
    running.owner.kill()
    assert await kept(engine, connect, tmp_path) == ITEMS


async def test_the_engine_listens_on_the_loopback_interface_alone(running):
    listening = [one.laddr for one in running.engine.net_connections() if one.status == psutil.CONN_LISTEN]

    assert [address.ip.removeprefix("::ffff:") for address in listening] == ["127.0.0.1"]
    assert running.endpoint_url == f"http://127.0.0.1:{listening[0].port}"


async def test_the_engine_is_given_no_credential(running, tmp_path):
    environment = running.engine.environ()

    assert not [name for name in environment if "AWS" in name or "SECRET" in name or "HOME" in name]
    assert environment["TMPDIR"].startswith(str(tmp_path))
