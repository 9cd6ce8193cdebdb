"""A small SMTP relay on loopback: as much of RFC 5321 as one mail needs, and any answer that a test wants."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Relay:
    """``answers`` replaces the answer to a command; ``commands`` and ``mails`` are what came in."""

    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    extensions: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    commands: list[tuple[str, bool]] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def running(self):
        context = self.tls if self.implicit_tls else None
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        encrypted = self.implicit_tls
        try:
            if self.silent:
                await reader.read()
                return
            await self._say(writer, self.answers.get("greeting", "220 relay.test"))
            while line := (await reader.readline()).decode().strip():
                self.commands.append((line, encrypted))
                verb = line.split(" ")[0].upper()
                await self._answer(reader, writer, verb, encrypted=encrypted)
                if verb == "QUIT":
                    return
                if verb == "STARTTLS" and self.tls and verb not in self.answers:
                    await writer.start_tls(self.tls)
                    encrypted = True
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def _answer(self, reader, writer, verb, *, encrypted):
        if verb in self.answers:
            await self._say(writer, self.answers[verb])
        elif verb == "EHLO":
            offers = ["relay.test", *self.extensions]
            if self.tls and not encrypted:
                offers.append("STARTTLS")
            await self._say(writer, *(f"250-{offer}" for offer in offers), "250 HELP")
        elif verb == "DATA":
            await self._say(writer, "354 go on")
            data = await reader.readuntil(b"\r\n.\r\n")
            self.mails.append(data.removesuffix(b".\r\n"))
            await self._say(writer, self.answers.get("mail", "250 taken"))
        else:
            answer = {"STARTTLS": "220 go on", "AUTH": "235 welcome", "QUIT": "221 bye"}
            await self._say(writer, answer.get(verb, "250 fine"))

    async def _say(self, writer, *lines):
        writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await writer.drain()


@dataclass(frozen=True)
class Certificate:
    server: ssl.SSLContext
    trusting_client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Self-signed, for 127.0.0.1: a server context, and a client context that trusts it and nothing else."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relay.test")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return Certificate(server=server, trusting_client=ssl.create_default_context(cafile=str(pem)))


@pytest.fixture
def make_relay():
    return Relay
