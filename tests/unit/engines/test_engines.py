from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest

from service.engines import dynamodb_local
from service.engines.dynamodb_local import DynamoDBLocal, java_problem
from service.engines.dynoxide import RELEASES, Dynoxide, Release, release_here
from service.engines.ministack import MiniStack

BINARY = b"#!the real one"
RELEASE = Release(
    package="@dynoxide/test", version="9", integrity="sha512-", binary_sha256=hashlib.sha256(BINARY).hexdigest()
)
MODULES = "java.base@17.0.15\njava.sql@17.0.15\njdk.compiler@17.0.15\n"


@pytest.fixture
def dynoxide(tmp_path):
    engine = Dynoxide(cache_dir=tmp_path, release=RELEASE)
    engine.binary.parent.mkdir()
    engine.binary.write_bytes(BINARY)
    return engine


@pytest.fixture
def local(tmp_path):
    engine = DynamoDBLocal(cache_dir=tmp_path)
    engine.lib_dir.mkdir()
    (engine.lib_dir / "DynamoDBLocal-2.6.1.jar").touch()
    return engine


@pytest.fixture
def java_says(monkeypatch):
    def say(modules):
        monkeypatch.setattr(dynamodb_local.shutil, "which", lambda name: f"/bin/{name}")
        monkeypatch.setattr(
            dynamodb_local.subprocess,
            "run",
            lambda argv, **_: subprocess.CompletedProcess(argv, 0, stdout=modules, stderr=""),
        )

    return say


def test_the_pinned_binary_is_available(dynoxide):
    assert dynoxide.available() is None


def test_dynoxide_that_was_not_fetched_names_the_cure(dynoxide):
    dynoxide.binary.unlink()

    assert dynoxide.available().endswith("python -m service.engines.fetch")


def test_attack_a_planted_binary_in_the_cache_is_not_run(dynoxide):
    dynoxide.binary.write_bytes(b"#!/bin/sh\nrm -rf")

    assert "is not the pinned release" in dynoxide.available()


def test_dynoxide_is_not_available_where_no_binary_is_pinned(dynoxide):
    assert "no dynoxide binary is pinned" in replace(dynoxide, release=None).available()


def test_the_release_is_the_one_of_this_machine(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert release_here() is RELEASES["linux", "x86_64"]

    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert release_here() is None


def test_dynoxide_keeps_its_database_in_the_folder_or_in_memory(dynoxide, tmp_path):
    assert dynoxide.command(7, tmp_path).argv[-2:] == ["--db-path", str(tmp_path / "dynoxide.db")]
    assert "--db-path" not in dynoxide.command(7, None).argv


def test_ministack_is_available_when_it_is_installed(monkeypatch):
    assert MiniStack().available() is None

    monkeypatch.setattr("service.engines.ministack.find_spec", lambda _: None)
    assert "pip install 'keyturn[engine]'" in MiniStack().available()


def test_ministack_persists_in_the_folder_or_not_at_all(tmp_path):
    argv, env = MiniStack().command(7, tmp_path)

    assert argv == [sys.executable, "-I", "-m", "ministack"]
    assert env["PERSIST_STATE"] == "1"
    assert env["STATE_DIR"] == str(tmp_path)
    assert "PERSIST_STATE" not in MiniStack().command(7, None).env


def test_ministack_opens_no_second_port_and_leaves_containers_alone():
    env = MiniStack().command(7, None).env

    assert (env["BIND_HOST"], env["GATEWAY_PORT"]) == ("127.0.0.1", "7")
    assert (env["SFTP_ENABLED"], env["IOT_MTLS_ENABLED"]) == ("0", "0")
    assert env["DOCKER_HOST"] == "unix:///nonexistent"


def test_dynamodb_local_that_was_not_fetched_names_the_cure(tmp_path):
    assert DynamoDBLocal(cache_dir=tmp_path).available().endswith("python -m service.engines.fetch --all")


def test_dynamodb_local_is_available_with_its_jars_and_a_jdk(local, java_says):
    java_says(MODULES)

    assert local.available() is None


@pytest.mark.parametrize("modules", ["", "java.base@17.0.15\n", MODULES.replace("17.", "11.")])
def test_a_java_that_is_old_or_cannot_compile_is_not_enough(local, java_says, modules):
    java_says(modules)

    assert "is not a JDK of version 17 or newer" in local.available()


def test_a_machine_without_java_is_told_so(monkeypatch):
    monkeypatch.setattr(dynamodb_local.shutil, "which", lambda _: None)

    assert java_problem().startswith("java is not on the PATH")


@pytest.mark.parametrize("problem", [OSError(), subprocess.TimeoutExpired("java", 1)])
def test_a_java_that_does_not_run_is_named(monkeypatch, problem):
    def fail(*_, **__):
        raise problem

    monkeypatch.setattr(dynamodb_local.shutil, "which", lambda _: "/bin/java")
    monkeypatch.setattr(dynamodb_local.subprocess, "run", fail)

    assert java_problem().startswith("/bin/java does not run")


def test_dynamodb_local_is_started_through_the_launcher_that_binds_loopback(local, tmp_path):
    argv = local.command(7, tmp_path).argv

    assert any(part.endswith("LoopbackDynamoDb.java") for part in argv)
    assert argv[-2:] == ["-dbPath", str(tmp_path)]
    assert "-disableTelemetry" in argv
    assert "-inMemory" in local.command(7, None).argv


def test_the_launcher_is_shipped_beside_the_module():
    assert dynamodb_local._LAUNCHER.is_file()
