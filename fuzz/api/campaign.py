"""Runs schemathesis against a service, and judges what it saw: no check failed, and every door was entered."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fuzz.api.town import Town

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "openapi.yaml"
_CONFIG = Path(__file__).with_name("schemathesis.toml")
_TOOL = Path(sys.executable).with_name("st")
FEED_KEY = base64.b64encode(bytes(range(96, 128))).decode()
SETTINGS = {
    # Tokens that outlive the campaign, whose people are made once.
    "KEYTURN_ACCESS_TTL_SECONDS": "86400",
    "KEYTURN_ARGON2_MEMORY_KIB": "8",
    "KEYTURN_ARGON2_TIME_COST": "1",
    # No address leaves this machine.
    "KEYTURN_BREACH_LIST": "offline",
    "KEYTURN_REVOCATION_FEED_KEYS": f"1:{FEED_KEY}",
    # All of it comes from one address, without pause.
    "KEYTURN_THROTTLE": "off",
    "KEYTURN_HASH_QUEUE": "2000",
    # The beat hides who has an account (tests/timing), and would take most of the time.
    "KEYTURN_ANSWER_BEAT_MS": "0",
}
"""What the service must be told before it is tried."""
PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``seen`` counts answers as ``METHOD /path STATUS``."""

    exit_status: int
    output: str
    seen: dict[str, int]

    @property
    def failed_checks(self) -> bool:
        """Whether schemathesis found something."""
        return self.exit_status != 0

    @property
    def never_entered(self) -> list[str]:
        """The operations of the document that no request of the run got an answer of success from."""
        entered = {name.rpartition(" ")[0] for name in self.seen if name.rpartition(" ")[2].startswith("2")}
        return sorted(set(operations()) - entered)


def operations() -> list[str]:
    """Every operation of the document as ``METHOD /path``."""
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]


def run(
    url: str,
    mail: Path,
    folder: Path,
    *,
    examples: int,
    seconds: int | None = None,
    document: Path = DOCUMENT,
    only: tuple[str, ...] = (),
) -> Outcome:
    """Make about ``examples`` requests an operation and phase against the service at ``url``, as two people.

    The same requests each time; others each time, until ``seconds`` are over, where they are given. ``only`` are
    the paths to try, all of them where there are none. What schemathesis writes goes into ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    people, seen = folder / "people.yaml", folder / "seen.json"
    with closing(Town(url=url, mail=mail)) as town:
        headers = {name: town.person().authorization for name in ("ada", "eve")}
    people.write_text(yaml.safe_dump({"auth": [_as_user(*one) for one in headers.items()]}), encoding="utf-8")
    command: list[str | Path] = [_TOOL, "--config-file", _CONFIG, "run", document, "--url", url, "--no-color"]
    command += ["--auth-wfc", people, "--phases", PHASES, "--max-examples", str(examples)]
    command += ["--generation-deterministic"] if seconds is None else ["--max-time", str(seconds)]
    command += [word for path in only for word in ("--include-path", path)]
    # The tool is not what coverage is measured of.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")} | {
        "FUZZ_URL": url,
        "FUZZ_MAIL": str(mail),
        "FUZZ_PEOPLE": json.dumps(list(headers.values())),
        "FUZZ_SEEN": str(seen),
        "FUZZ_FEED_KEY": FEED_KEY,
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    counted = json.loads(seen.read_text(encoding="utf-8")) if seen.exists() else {}
    return Outcome(exit_status=done.returncode, output=done.stdout + done.stderr, seen=counted)


def _as_user(name: str, authorization: str) -> dict[str, Any]:
    return {"name": name, "fixedHeaders": [{"name": "Authorization", "value": authorization}]}
