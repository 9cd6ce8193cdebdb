"""Runs atheris on the targets: ``python -m fuzz.drive --runs 3000`` or ``--seconds 20`` for each.

Imports the targets with their coverage recorded, then forks for each of them, since libFuzzer ends its process. Exit
status 1 when a target raised, hung or was killed; the input that did it lies in FINDINGS/NAME, and is replayed by the
tests from there on.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
SEEDS, FINDINGS = HERE / "seeds", HERE / "findings"
REGISTRY = "fuzz.targets:TARGETS"
INSTRUMENTED = ["keyturn", "service"]
LONGEST_INPUT_BYTES = 4096
SECONDS_AN_INPUT = 20
MEMORY_MIB = 2048


def main() -> int:
    """The exit status."""
    arguments = parse()
    targets = load(arguments.registry)
    chosen = arguments.only or sorted(targets)
    with tempfile.TemporaryDirectory(prefix="keyturn-fuzz-") as scratch:
        corpus = arguments.corpus or Path(scratch)
        failed = [name for name in chosen if not fuzz(name, targets[name], corpus / name, arguments)]
    for name in chosen:
        print(f"{name}: {'FAILED' if name in failed else 'nothing found'}", flush=True)  # noqa: T201
    return 1 if failed else 0


def parse() -> argparse.Namespace:
    """How long, which targets, and where things lie."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--runs", type=int, help="inputs for each target, the same each time")
    length.add_argument("--seconds", type=int, help="seconds for each target")
    parser.add_argument("--only", nargs="*", help="these targets alone")
    parser.add_argument("--corpus", type=Path, help="where inputs that reached something new are kept")
    parser.add_argument("--findings", type=Path, default=FINDINGS)
    parser.add_argument("--registry", default=REGISTRY, help=argparse.SUPPRESS)
    return parser.parse_args()


def load(registry: str) -> Mapping[str, Callable[[bytes], None]]:
    """The targets that ``module:NAME`` holds, their imports instrumented."""
    module, _, name = registry.partition(":")
    with atheris.instrument_imports(include=[*INSTRUMENTED, module]):
        targets: Mapping[str, Callable[[bytes], None]] = getattr(importlib.import_module(module), name)
    return targets


def fuzz(name: str, target: Callable[[bytes], None], corpus: Path, arguments: argparse.Namespace) -> bool:
    """Whether ``target`` got through, in a process of its own."""
    findings = arguments.findings / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    by_count, by_time = [f"-runs={arguments.runs}", "-seed=1"], [f"-max_total_time={arguments.seconds}"]
    options = [
        *(by_count if arguments.seconds is None else by_time),
        f"-max_len={LONGEST_INPUT_BYTES}",
        f"-timeout={SECONDS_AN_INPUT}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=0",
        "-verbosity=0",
    ]
    places = [str(place) for place in (corpus, SEEDS / name, findings) if place.is_dir()]
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        atheris.Setup([name, *options, *places], target)
        atheris.Fuzz()
    _, status = os.waitpid(child, 0)
    if not any(findings.iterdir()):
        findings.rmdir()
    return os.waitstatus_to_exitcode(status) == 0


if __name__ == "__main__":
    sys.exit(main())
