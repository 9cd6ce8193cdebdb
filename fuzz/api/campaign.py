"""Runs schemathesis against a service, and judges what it saw: no check failed, and every door was entered."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
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
_FOLLOWED = re.compile(r"(\S+ \S+) -> \[(\d+)\] (\w+) -> \S+ \S+")
PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``seen`` counts answers as ``METHOD /path STATUS``.

    ``followed`` counts requests of the stateful phase that took what the answer to an earlier one had told, by link, as
    ``METHOD /path STATUS name``.
    """

    exit_status: int
    output: str
    seen: dict[str, int]
    followed: dict[str, int] = field(default_factory=dict)

    @property
    def failed_checks(self) -> bool:
        """Whether schemathesis found something."""
        return self.exit_status != 0

    @property
    def never_entered(self) -> list[str]:
        """The operations of the document that no request of the run got an answer of success from."""
        entered = {name.rpartition(" ")[0] for name in self.seen if name.rpartition(" ")[2].startswith("2")}
        return sorted(set(operations()) - entered)

    @property
    def never_followed(self) -> list[str]:
        """The links of the document that no request of the run followed."""
        return sorted(set(links()) - set(self.followed))


def operations() -> list[str]:
    """Every operation of the document as ``METHOD /path``."""
    return [f"{method.upper()} {path}" for path, methods in _paths().items() for method in methods]


def links() -> list[str]:
    """Every link of the document as ``METHOD /path STATUS name``."""
    return [
        f"{method.upper()} {path} {status} {name}"
        for path, methods in _paths().items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        for name in answer.get("links", ())
    ]


def _paths() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    found: dict[str, Any] = document["paths"]
    return found


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
    people, seen, events = folder / "people.yaml", folder / "seen.json", folder / "events.ndjson"
    with closing(Town(url=url, mail=mail)) as town:
        headers = {name: town.person().authorization for name in ("ada", "eve")}
    people.write_text(yaml.safe_dump({"auth": [_as_user(*one) for one in headers.items()]}), encoding="utf-8")
    command: list[str | Path] = [_TOOL, "--config-file", _CONFIG, "run", document, "--url", url, "--no-color"]
    command += ["--auth-wfc", people, "--phases", PHASES, "--max-examples", str(examples)]
    command += ["--report", "ndjson", "--report-ndjson-path", events]
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
    return Outcome(
        exit_status=done.returncode,
        output=done.stdout + done.stderr,
        seen=counted,
        followed=dict(_followed(events)) if events.exists() else {},
    )


def _followed(events: Path) -> Counter[str]:
    """The links that were followed, with a value that was there, according to the tool's own record of the run."""
    found: Counter[str] = Counter()
    for line in events.read_text(encoding="utf-8").splitlines():
        finished = json.loads(line).get("ScenarioFinished", {})
        if finished.get("phase") == "stateful":
            cases = finished["recorder"]["cases"].values()
            found.update(case["transition"]["id"] for case in cases if case.get("is_transition_applied"))
    names = Counter[str]()
    for told, count in found.items():
        if match := _FOLLOWED.fullmatch(told):
            names[" ".join(match.groups())] += count
    return names


def _as_user(name: str, authorization: str) -> dict[str, Any]:
    return {"name": name, "fixedHeaders": [{"name": "Authorization", "value": authorization}]}
