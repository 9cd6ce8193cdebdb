"""Does the engine answer? Asked as a client would ask: ListTables over HTTP."""

from __future__ import annotations

import socket

import httpx

_TIMEOUT_SECONDS = 2
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "X-Amz-Date": "20260101T000000Z",
    # No engine checks the signature; they read the account and the region from its scope.
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=keyturn/20260101/us-east-1/dynamodb/aws4_request, "
        f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}"
    ),
}


async def answers(endpoint_url: str) -> bool:
    """Whether ``endpoint_url`` lists its tables now. No proxy is asked: it would answer for somebody else."""
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
        try:
            response = await client.post(endpoint_url, headers=_HEADERS, content=b"{}")
        except httpx.TransportError:
            return False
    return response.status_code == httpx.codes.OK and b"TableNames" in response.content


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
