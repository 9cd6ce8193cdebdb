"""Over TLS: whom the lean client trusts."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.store.client import open_lean_client
from service.store.errors import StoreUnavailable
from tests.support.clock import ManualClock
from tests.support.lean import GET, ITEM, PUT, port_over
from tests.support.store import CountedEntropy
from tests.support.stub_dynamo import ok


@pytest.fixture
def certificate(tmp_path):
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return path


@asynccontextmanager
async def opened_over_tls(stub, certificate, monkeypatch, *, hostname="localhost", trusted=True):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, ssl=context)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"https://{hostname}:{server.sockets[0].getsockname()[1]}")
    monkeypatch.delenv("AWS_CA_BUNDLE")
    if trusted:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    async with server, open_lean_client(clock=ManualClock(), entropy=CountedEntropy()) as client:
        yield client


async def test_over_tls_the_authorities_of_awss_variable_are_trusted(stub, certificate, monkeypatch):
    stub.plan(ok(ITEM), ok(ITEM))
    async with opened_over_tls(stub, certificate, monkeypatch) as client:
        assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
        assert (await client.get_item(**GET))["Item"] == ITEM["Item"]
    assert stub.connections == 1


@pytest.mark.parametrize("changes", [{"trusted": False}, {"hostname": "127.0.0.1"}], ids=["issuer", "name"])
async def test_man_in_the_middle_a_certificate_of_somebody_else_gets_no_request(
    stub, certificate, monkeypatch, changes
):
    async with opened_over_tls(stub, certificate, monkeypatch, **changes) as client:
        with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
            await port_over(client).write(PUT)
    assert not stub.asked
