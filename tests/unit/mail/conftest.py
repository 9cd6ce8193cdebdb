"""SMTP relays of a test's own and a certificate for them, and an outbox in memory."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.outbox import Carrier, Shelf, make_outbox
from tests.support.relay import Relay


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


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def outbox(shelf, carrier, clock):
    return make_outbox(shelf, carrier, clock)
