"""Opens the lean client beside the SDK's, from which it has endpoint, region and credentials."""

from __future__ import annotations

import logging
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from service.store.lean.client import LeanClient
from service.store.lean.pool import Endpoint, Pool
from service.store.lean.signer import Signer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service.kernel.clock import Clock
    from service.kernel.entropy import Entropy
    from service.store.lean.client import CredentialSource
    from service.store.lean.pool import PoolLimits

_log = logging.getLogger(__name__)
_DEFAULT_PORTS = {"https": 443, "http": 80}


@asynccontextmanager
async def open_lean(
    plain: Any,
    *,
    credentials: CredentialSource | None,
    ca_bundle: str | None,
    limits: PoolLimits,
    clock: Clock,
    entropy: Entropy,
) -> AsyncIterator[Any]:
    """The lean client, or ``plain`` itself where AWS's variables ask for something that only the SDK does."""
    url = plain.meta.endpoint_url
    reason = why_plain(url, account_mode=plain.meta.config.account_id_endpoint_mode)
    if credentials is None or reason:
        _log.warning("the SDK's own client is used: %s", reason or "there are no credentials")
        yield plain
        return
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    endpoint = Endpoint(
        hostname=parts.hostname or "", port=port, tls=_tls(ca_bundle) if parts.scheme == "https" else None
    )
    pool = Pool(endpoint, limits, clock)
    try:
        yield LeanClient(
            plain=plain,
            line=pool,
            signer=Signer(host=host_header(url), region=plain.meta.region_name),
            credentials=credentials,
            clock=clock,
            entropy=entropy,
        )
    finally:
        await pool.aclose()


def why_plain(url: str, *, account_mode: str | None) -> str:
    """What asks for the SDK's own client, or nothing."""
    if get_environ_proxies(url):
        return "a proxy is set"
    if urlsplit(url).path.strip("/"):
        return "the endpoint has a path"
    if account_mode == "required":
        return "an account's own endpoint is required"
    return ""


def host_header(url: str) -> str:
    """The host of ``url`` as it is sent and signed: with its port, unless that is the scheme's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return host if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{parts.port}"


def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    """Trusts ``AWS_CA_BUNDLE`` where it is set, else what the SDK trusts."""
    context = ssl.create_default_context(cafile=ca_bundle or get_cert_path(verify=True))
    context.set_alpn_protocols(["http/1.1"])
    return context
