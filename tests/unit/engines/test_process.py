from __future__ import annotations

import asyncio
import os
import signal
import stat

import psutil
import pytest

from service.engines.errors import DataFolderBusy, EngineFailed
from service.engines.folder import DataFolder, try_lock
from service.engines.probe import answers
from service.engines.process import EngineProcess, Patience

HASTY = Patience(stop_seconds=0.3, busy_seconds=0.2, owner_seconds=0.1)
"""Waits long for a start, which takes a busy machine some time, and for nothing else."""


async def test_it_answers_when_entered_and_is_gone_when_left(serving, tmp_path):
    async with EngineProcess(serving(), data_dir=tmp_path) as running:
        assert await answers(running.endpoint_url)
        assert running.exit_code() is None
        endpoint_url = running.endpoint_url

    assert not await answers(endpoint_url)
    assert (tmp_path / "engine" / "ministack" / "saved").exists()


def test_it_may_be_started_in_one_event_loop_and_stopped_in_another(serving, tmp_path):
    running = EngineProcess(serving(), data_dir=tmp_path)

    asyncio.run(running.start())
    asyncio.run(running.stop())

    assert (tmp_path / "engine" / "ministack" / "saved").exists()


async def test_in_memory_it_leaves_no_file(serving):
    async with EngineProcess(serving()) as running:
        folder = psutil.Process(running._child.supervisor.pid).children()[0].cwd()
        assert os.listdir(folder) == ["engine.log"]  # noqa: PTH208

    with pytest.raises(FileNotFoundError):
        os.listdir(folder)  # noqa: PTH208


async def test_stopping_twice_or_before_the_start_does_nothing(serving):
    running = EngineProcess(serving())
    await running.stop()
    assert running.exit_code() is None
    assert running.log_tail() == ""

    await running.start()
    await running.stop()
    await running.stop()


async def test_an_engine_that_dies_at_once_is_reported_with_its_last_words(scripted, tmp_path):
    dying = scripted(script="import sys; sys.exit('no such flag')")

    with pytest.raises(EngineFailed, match="ministack ended with status 1: no such flag"):
        await EngineProcess(dying, data_dir=tmp_path).start()

    assert try_lock(DataFolder(root=tmp_path).owner_lock) is not None


async def test_an_engine_that_dies_without_a_word_is_reported_so(scripted):
    dying = scripted(script="import os; os.kill(os.getpid(), 9)")

    with pytest.raises(EngineFailed, match=r"ended with status 137: \(its log is empty\)"):
        await EngineProcess(dying).start()


async def test_a_program_that_cannot_be_run_is_reported(scripted, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nonexistent/python")

    with pytest.raises(FileNotFoundError):
        await EngineProcess(scripted(script="")).start()


async def test_an_engine_that_never_answers_is_given_up(scripted):
    silent = scripted(script="import time; print('thinking', flush=True); time.sleep(60)")

    with pytest.raises(EngineFailed, match="did not answer within 3 seconds: thinking"):
        await EngineProcess(silent, patience=Patience(start_seconds=3)).start()


async def test_an_engine_that_does_not_stop_is_killed_by_its_supervisor(serving, tmp_path):
    async with EngineProcess(serving(stubborn=True), data_dir=tmp_path, patience=HASTY) as running:
        engine = psutil.Process(running._child.supervisor.pid).children()[0]

    assert not engine.is_running()
    assert "did not stop within 0.3 seconds" in (tmp_path / "engine.log").read_text()


async def test_a_supervisor_that_hangs_is_killed_with_its_engine(serving, tmp_path):
    async with EngineProcess(serving(), data_dir=tmp_path, patience=HASTY) as running:
        supervisor = psutil.Process(running._child.supervisor.pid)
        engine = supervisor.children()[0]
        supervisor.suspend()

    assert not supervisor.is_running()
    assert psutil.wait_procs([engine], timeout=20)[1] == []


async def test_the_end_of_the_engine_is_seen(serving):
    async with EngineProcess(serving()) as running:
        psutil.Process(running._child.supervisor.pid).children()[0].send_signal(signal.SIGTERM)
        await running._until(running._has_ended, 20)

        assert running.exit_code() == 0


async def test_without_the_kernels_help_an_orphan_is_stopped_by_the_service(serving, tmp_path):
    async with EngineProcess(serving(save_seconds=0.2), data_dir=tmp_path) as running:
        supervisor = psutil.Process(running._child.supervisor.pid)
        engine = supervisor.children()[0]
        supervisor.kill()
        await running._until(running._has_ended, 20)

    assert psutil.wait_procs([engine], timeout=20)[1] == []
    assert (tmp_path / "engine" / "ministack" / "saved").exists()


async def test_a_second_owner_is_refused(serving, tmp_path):
    async with EngineProcess(serving(), data_dir=tmp_path):
        with pytest.raises(DataFolderBusy, match="in use by another process"):
            await EngineProcess(serving(), data_dir=tmp_path, patience=HASTY).start()


async def test_a_start_waits_until_the_last_run_has_saved(serving, tmp_path):
    first = EngineProcess(serving(save_seconds=0.5), data_dir=tmp_path)
    await first.start()
    first._child.let_go()
    os.close(first._owner_fd)
    first._owner_fd = None

    async with EngineProcess(serving(), data_dir=tmp_path):
        assert (tmp_path / "engine" / "ministack" / "saved").exists()
    await first.stop()


async def test_a_start_waits_for_an_engine_whose_supervisor_was_killed(serving, tmp_path):
    first = EngineProcess(serving(save_seconds=1), data_dir=tmp_path)
    await first.start()
    first._child.supervisor.kill()
    await first._until(first._has_ended, 20)
    await first.stop()

    async with EngineProcess(serving(), data_dir=tmp_path):
        assert (tmp_path / "engine" / "ministack" / "saved").exists()


async def test_a_start_gives_up_when_the_last_run_does_not_finish(serving, tmp_path):
    folder = DataFolder(root=tmp_path)
    folder.prepare("ministack")
    held = try_lock(folder.state_lock)

    with pytest.raises(DataFolderBusy, match="an engine of an earlier run"):
        await EngineProcess(serving(), data_dir=tmp_path, patience=HASTY).start()

    os.close(held)


async def test_the_state_is_readable_by_its_owner_alone(serving, tmp_path):
    async with EngineProcess(serving(), data_dir=tmp_path / "data"):
        pass

    for folder in ("data", "data/engine", "data/engine/ministack"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


async def test_the_engine_used_last_is_remembered(serving, tmp_path):
    folder = DataFolder(root=tmp_path)
    assert folder.remembered() is None

    async with EngineProcess(serving(), data_dir=tmp_path):
        assert folder.remembered() == "ministack"


def test_a_name_that_is_no_engine_is_not_remembered(tmp_path):
    folder = DataFolder(root=tmp_path)
    folder.prepare("ministack")
    (tmp_path / "engine" / "last").write_text("../../elsewhere\n")

    assert folder.remembered() is None
