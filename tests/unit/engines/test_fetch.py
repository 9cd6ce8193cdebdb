from __future__ import annotations

import base64
import hashlib
import io
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from service.engines import archive, fetch, fetch_dynamodb_local, fetch_dynoxide
from service.engines.archive import NotAsPinned, check_integrity, extract_executable
from service.engines.dynamodb_local import DynamoDBLocal
from service.engines.dynoxide import Dynoxide, Release

BINARY = b"the binary"


def tarball(*members):
    """A .tgz of (name, content) pairs; a content of None is a link to /etc/passwd."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return packed.getvalue()


def integrity(content):
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def engine_for(packed, cache_dir, *, binary=BINARY):
    release = Release(
        package="@dynoxide/test",
        version="9",
        integrity=integrity(packed),
        binary_sha256=hashlib.sha256(binary).hexdigest(),
    )
    return Dynoxide(cache_dir=cache_dir, release=release)


class Client:
    """Stands for npm or Maven: does to the folder what the client would, or raises."""

    def __init__(self, *behaviours):
        self.behaviours = list(behaviours)
        self.calls = []

    def __call__(self, argv, *, cwd, **options):
        assert options["timeout"] > 0
        assert options["check"] is True
        self.calls.append(argv)
        behaviour = self.behaviours.pop(0)
        if isinstance(behaviour, Exception):
            raise behaviour
        behaviour(argv, Path(cwd))


def packs(content):
    return lambda argv, folder: (folder / "dynoxide-test-9.tgz").write_bytes(content)


def resolves(argv, folder):
    lib = Path(next(part for part in argv if part.startswith("-DoutputDirectory=")).partition("=")[2])
    lib.mkdir()
    (lib / "DynamoDBLocal-2.6.1.jar").touch()
    assert "DynamoDBLocal" in (folder / "pom.xml").read_text()


@pytest.fixture
def clients_there(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(fetch_dynamodb_local, "java_problem", lambda: None)
    monkeypatch.setattr("service.engines.dynamodb_local.java_problem", lambda: None)


@pytest.mark.usefixtures("clients_there")
class TestDynoxide:
    def test_the_binary_is_unpacked_and_nothing_else(self, tmp_path):
        packed = tarball(("package/package.json", b"{}"), ("package/dynoxide", BINARY), ("../evil", b"x"))
        engine = engine_for(packed, tmp_path / "cache")
        npm = Client(packs(packed))

        assert fetch_dynoxide.fetch_dynoxide(engine, run=npm) is None

        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["dynoxide"]
        assert engine.binary.stat().st_mode & stat.S_IXUSR
        assert npm.calls == [["/bin/npm", "pack", "@dynoxide/test@9", "--ignore-scripts", "--silent"]]

    def test_a_second_run_asks_nobody(self, tmp_path):
        packed = tarball(("package/dynoxide", BINARY))
        engine = engine_for(packed, tmp_path)
        fetch_dynoxide.fetch_dynoxide(engine, run=Client(packs(packed)))

        assert fetch_dynoxide.fetch_dynoxide(engine, run=Client()) is None

    def test_attack_a_registry_that_serves_another_archive_is_refused(self, tmp_path):
        engine = engine_for(tarball(("package/dynoxide", BINARY)), tmp_path)
        other = tarball(("package/dynoxide", b"something else"))

        problem = fetch_dynoxide.fetch_dynoxide(engine, run=Client(packs(other)))

        assert problem == "dynoxide-test-9.tgz does not have the pinned sha512 digest"
        assert not engine.binary.exists()

    def test_a_binary_that_is_not_the_pinned_one_is_removed(self, tmp_path):
        packed = tarball(("package/dynoxide", BINARY))
        engine = engine_for(packed, tmp_path, binary=b"another")

        assert "pinned sha256" in fetch_dynoxide.fetch_dynoxide(engine, run=Client(packs(packed)))
        assert not engine.binary.exists()

    @pytest.mark.parametrize(
        ("behaviour", "why_not"),
        [
            (subprocess.TimeoutExpired("npm", 1), "npm took longer than 120 seconds"),
            (subprocess.CalledProcessError(1, "npm"), "npm pack @dynoxide/test ended with status 1"),
            (lambda argv, folder: None, "npm pack left no archive"),
            (OSError("disk full"), "disk full"),
        ],
    )
    def test_a_failure_is_a_reason_and_not_an_error(self, tmp_path, behaviour, why_not):
        assert fetch_dynoxide.fetch_dynoxide(engine_for(b"", tmp_path), run=Client(behaviour)) == why_not

    def test_a_platform_without_a_release_is_told_so(self, tmp_path):
        engine = Dynoxide(cache_dir=tmp_path, release=None)

        assert "no dynoxide binary is pinned" in fetch_dynoxide.fetch_dynoxide(engine, run=Client())

    def test_a_machine_without_npm_is_told_so(self, tmp_path, monkeypatch):
        monkeypatch.setattr("shutil.which", lambda _: None)

        assert fetch_dynoxide.fetch_dynoxide(engine_for(b"", tmp_path)) == "npm is not on the PATH"


@pytest.mark.usefixtures("clients_there")
class TestDynamoDBLocal:
    def test_the_jars_are_put_into_their_place(self, tmp_path):
        engine = DynamoDBLocal(cache_dir=tmp_path)

        assert fetch_dynamodb_local.fetch_dynamodb_local(engine, run=Client(resolves)) is None

        assert [path.name for path in tmp_path.iterdir()] == ["dynamodb-local-2.6.1"]

    def test_a_second_run_asks_nobody(self, tmp_path):
        engine = DynamoDBLocal(cache_dir=tmp_path)
        fetch_dynamodb_local.fetch_dynamodb_local(engine, run=Client(resolves))

        assert fetch_dynamodb_local.fetch_dynamodb_local(engine, run=Client()) is None

    def test_a_download_that_fails_once_is_tried_again(self, tmp_path):
        maven = Client(subprocess.CalledProcessError(1, "mvn"), resolves)

        assert fetch_dynamodb_local.fetch_dynamodb_local(DynamoDBLocal(cache_dir=tmp_path), run=maven) is None

    @pytest.mark.parametrize(
        ("failure", "why_not"),
        [
            (subprocess.CalledProcessError(1, "mvn"), "mvn dependency:copy-dependencies ended with status 1"),
            (subprocess.TimeoutExpired("mvn", 1), "mvn took longer than 300 seconds"),
            (OSError("disk full"), "disk full"),
        ],
    )
    def test_a_download_that_fails_twice_is_a_reason_and_leaves_nothing(self, tmp_path, failure, why_not):
        maven = Client(failure, failure)

        assert fetch_dynamodb_local.fetch_dynamodb_local(DynamoDBLocal(cache_dir=tmp_path), run=maven) == why_not
        assert list(tmp_path.iterdir()) == []

    def test_a_machine_without_java_or_maven_is_told_so(self, tmp_path, monkeypatch):
        engine = DynamoDBLocal(cache_dir=tmp_path)
        monkeypatch.setattr("shutil.which", lambda _: None)
        assert fetch_dynamodb_local.fetch_dynamodb_local(engine) == "mvn is not on the PATH"

        monkeypatch.setattr(fetch_dynamodb_local, "java_problem", lambda: "no java")
        assert fetch_dynamodb_local.fetch_dynamodb_local(engine) == "no java"


@pytest.mark.parametrize(
    "packed",
    [
        tarball(("package/README", b"x")),
        tarball(("package/dynoxide", None)),
        tarball(("package/dynoxide", b"x" * 11)),
    ],
    ids=["missing", "a link", "too large"],
)
def test_attack_an_archive_without_a_plain_small_file_is_refused(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(archive, "_MAX_BYTES", 10)
    (tmp_path / "a.tgz").write_bytes(packed)

    with pytest.raises(NotAsPinned, match="holds no usable package/dynoxide"):
        extract_executable(tmp_path / "a.tgz", "package/dynoxide", tmp_path / "out" / "dynoxide")

    assert list((tmp_path / "out").iterdir()) == []


def test_the_right_integrity_passes(tmp_path):
    (tmp_path / "a.tgz").write_bytes(b"abc")

    check_integrity(tmp_path / "a.tgz", integrity(b"abc"))


def test_the_command_says_one_line_an_engine_and_never_fails(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("KEYTURN_ENGINES_DIR", str(tmp_path))
    monkeypatch.setattr(fetch, "fetch_dynoxide", lambda _: None)
    monkeypatch.setattr(fetch, "fetch_dynamodb_local", lambda _: "mvn is not on the PATH")

    fetch.main([])
    assert len(capsys.readouterr().out.splitlines()) == 3

    fetch.main(["--all"])
    assert capsys.readouterr().out.splitlines() == [
        "dynoxide: ready",
        "ministack: ready",
        "dynamodb-local: not there: mvn is not on the PATH",
    ]
