"""What verifying a token costs in a guard beyond the signature check itself: ``python -m benchmarks.guard``.

CPU time of this process for one call, the best of the rounds; compare figures of one run only. Keys are pinned, as they
are once they have been fetched: nothing here does I/O.

- ``signature``: PyJWT's check of an ES256 signature, with everything parsed before.
- ``verify``: from the text of the token to the principal.
- ``verify_async``: the same in an event loop.
- ``authenticate``: from the Authorization header.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING

from keyturn import Verifier
from keyturn.strict import parse
from keyturn.testing.issuer import OfflineIssuer
from keyturn.verifier import check_signature

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def best(call: Callable[[], object], *, rounds: int, calls: int) -> float:
    """CPU seconds of one ``call``, in the best of ``rounds``."""
    return min(_round(call, calls) for _ in range(rounds)) / calls


def _round(call: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - began


def measure(*, rounds: int, calls: int) -> dict[str, float]:
    """CPU seconds of one call, by name."""
    issuer = OfflineIssuer()
    token = issuer.token_for("9b2f6c1e-4d3a-4f5b-8c7d-0e1f2a3b4c5d", scopes=["notes:read", "notes:write"])
    parsed, lines = parse(token), [f"Bearer {token}"]
    key = issuer.keys()[parsed.kid]
    # What an issuer's own verifier looks up for each token is not what a key set costs.
    guard = Verifier(issuer.issuer, issuer.audience, keys=issuer.keys())
    plain: dict[str, Callable[[], object]] = {
        "signature": lambda: check_signature(parsed, key=key),
        "verify": lambda: guard.verify(token),
        "authenticate": lambda: guard.authenticate(lines),
    }
    found = {name: best(call, rounds=rounds, calls=calls) for name, call in plain.items()}
    found["verify_async"] = asyncio.run(_best_async(lambda: guard.verify_async(token), rounds=rounds, calls=calls))
    return found


async def _best_async(call: Callable[[], Awaitable[object]], *, rounds: int, calls: int) -> float:
    took = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(calls):
            await call()
        took.append(time.process_time() - began)
    return min(took) / calls


def main() -> None:
    """Print a line for each, with what it costs beyond the signature and that as a ratio."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--calls", type=int, default=1000)
    chosen = arguments.parse_args()
    found = measure(rounds=chosen.rounds, calls=chosen.calls)
    signature = found["signature"]
    for name, seconds in found.items():
        beyond = seconds - signature
        print(
            f"{name:13} {seconds * 1e3:7.3f} ms  beyond the signature {beyond * 1e3:7.3f} ms, {beyond / signature:5.2f}"
        )


if __name__ == "__main__":
    main()
