"""How many proxies stand between a client and us, by name: ``KEYTURN_TRUSTED_PROXIES`` as a number or a preset.

The number is how many entries of X-Forwarded-For, from the right, proxies of ours have written; the leftmost of these
is the client. Each hop writes the address it was called from:

- ``alb`` appends its peer, the client: 1. (Attribute ``routing.http.xff_header_processing.mode`` at its default,
  ``append``. With ``preserve`` it writes nothing, and a client could invent the whole header.)
- ``cloudfront`` to an origin that takes its connections itself appends the viewer: 1.
- ``cloudfront+alb``: CloudFront appends the viewer, the balancer appends CloudFront's edge: 2.
- ``apigateway``, regional, appends the caller: 1. An edge-optimised one stands behind a CloudFront of AWS's: say 2.

What is ambiguous is refused: any other word, and, in ``prod``, a deployment that tells uvicorn's own
FORWARDED_ALLOW_IPS which proxies to believe, and us nothing. We do not read that variable, and whoever sets it stands
behind a proxy.

A preset is right only where the origin cannot be reached around the proxies: close it by security group or by origin
access, or a client that comes directly writes those entries itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PROXIES = 10

PRESETS = {"alb": 1, "cloudfront": 1, "cloudfront+alb": 2, "apigateway": 1}


def trusted_proxy_preset(text: str) -> int:
    """The count for a preset's name or a number from 0 to 10. Raises ValueError, with what is allowed, for all else."""
    name = text.strip().lower()
    if name in PRESETS:
        return PRESETS[name]
    if name.isascii() and name.isdigit() and len(name) <= len(str(MAX_PROXIES)) and int(name) <= MAX_PROXIES:
        return int(name)
    raise ValueError(f"set a number from 0 to {MAX_PROXIES}, or one of {', '.join(PRESETS)}")


def ambiguous_in_prod(environ: Mapping[str, str]) -> list[str]:
    """The problem of an environment that names proxies to uvicorn and leaves our count at its default, or none."""
    if not environ.get("FORWARDED_ALLOW_IPS") or environ.get("KEYTURN_TRUSTED_PROXIES"):
        return []
    problem = (
        "KEYTURN_TRUSTED_PROXIES: FORWARDED_ALLOW_IPS is set, which is not read here; say how many proxies stand in "
    )
    return [problem + f"front (0 for none), or one of {', '.join(PRESETS)}"]
