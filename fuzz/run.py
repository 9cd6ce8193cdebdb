"""``make fuzz``: the campaigns in their long form, about four minutes unless ``--seconds`` says otherwise.

A third of the time goes to the API, with private and with disclosing registration, the rest to the targets in equal
parts. Exit status 1 when anything was found. Inputs that reached something new are kept in ``.fuzz`` for the next time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.api import campaign
from fuzz.targets import TARGETS
from loadtests.run import service

SECONDS = 240
LEAST_SECONDS = 60
KEPT = Path(".fuzz")
EXAMPLES = 50


def main() -> int:
    """The exit status of the whole."""
    parser = argparse.ArgumentParser(description="Campaigns of made-up input against this code.")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for all together")
    parser.add_argument("--only", choices=["api", "targets"], help="one half")
    arguments = parser.parse_args()
    seconds = max(arguments.seconds, LEAST_SECONDS)
    share = {"api": seconds // 3, "targets": seconds * 2 // 3} if arguments.only is None else {arguments.only: seconds}
    found = [api(share["api"] // 2, registration) for registration in ("private", "disclose") if "api" in share]
    if "targets" in share:
        found.append(targets(max(1, share["targets"] // len(TARGETS))))
    return 1 if any(found) else 0


def api(seconds: int, registration: str) -> bool:
    """Whether requests made of the API document found something."""
    with tempfile.TemporaryDirectory(prefix="keyturn-fuzz-") as name:
        folder = Path(name)
        with service(folder, **campaign.SETTINGS, KEYTURN_REGISTRATION=registration) as url:
            say(f"API, {registration} registration: {seconds} s on {url}")
            outcome = campaign.run(url, folder / "data" / "mail", folder / "api", examples=EXAMPLES, seconds=seconds)
    say(outcome.output)
    if outcome.never_entered:
        say(f"never entered: {', '.join(outcome.never_entered)}")
    return outcome.failed_checks


def targets(seconds: int) -> bool:
    """Whether bytes made for the targets found something."""
    say(f"{len(TARGETS)} targets: {seconds} s each")
    command = [sys.executable, "-m", "fuzz.drive", "--seconds", str(seconds), "--corpus", str(KEPT)]
    return subprocess.run(command, check=False).returncode != 0


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
