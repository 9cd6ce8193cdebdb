"""A real Redis of a test's own, where this machine has one."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.programs import find, need

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = find("redis-server")
_READY_SECONDS = 20
_DAY = dt.timedelta(days=1)


@dataclass
class RedisServer:
    """``with RedisServer(folder) as redis``: on the loopback interface, keeping nothing."""

    folder: Path
    password: str = ""
    certificate: Path | None = None
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        scheme = "redis" if self.certificate is None else "rediss"
        user = f":{self.password}@" if self.password else ""
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to answer, on the same port as the last time; a Redis that keeps nothing begins empty."""
        self.port = self.port or _free_port()
        ports = ["--port", str(self.port)]
        if self.certificate is not None:
            ports = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            ports += ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.certificate)]
            ports += ["--tls-ca-cert-file", str(self.certificate)]
        secrets = ["--requirepass", self.password] if self.password else []
        self._process = subprocess.Popen(
            [
                need(PROGRAM, "redis-server"),
                *ports,
                *secrets,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(self.folder),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._listens():
            assert self._process.poll() is None, "the Redis of this test did not start"
            assert time.monotonic() < deadline, "the Redis of this test does not listen"
            time.sleep(0.01)

    def kill(self) -> None:
        """As the kernel ends a process."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It accepts connections, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def self_signed(path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, which nobody trusts unless told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's Redis")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
