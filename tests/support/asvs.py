"""OWASP ASVS 5.0.0, chapters V6 to V10: which requirements there are, what shows that we meet them, and the page of it.

``python -m tests.support.asvs`` writes docs/asvs.md anew from tests/asvs.toml.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests/asvs.toml"
PAGE = ROOT / "docs/asvs.md"

CHAPTERS = {
    6: "Authentication",
    7: "Session management",
    8: "Authorization",
    9: "Self-contained tokens",
    10: "OAuth and OIDC",
}
STATUSES = {"met": "met", "partly": "partly", "not_yet": "not yet", "not_applicable": "not applicable"}
# The level of each requirement of a section, in order: 6.1.1 is level 1, 6.1.2 and 6.1.3 are level 2.
LEVELS = {
    "6.1": "122",
    "6.2": "111111112222",
    "6.3": "11223333",
    "6.4": "112233",
    "6.5": "22222333",
    "6.6": "2223",
    "6.7": "33",
    "6.8": "2222",
    "7.1": "222",
    "7.2": "1111",
    "7.3": "22",
    "7.4": "11222",
    "7.5": "223",
    "7.6": "22",
    "8.1": "1233",
    "8.2": "1123",
    "8.3": "133",
    "8.4": "23",
    "9.1": "111",
    "9.2": "1222",
    "10.1": "22",
    "10.2": "223",
    "10.3": "22223",
    "10.4": "1111122222233333",
    "10.5": "22222",
    "10.6": "22",
    "10.7": "222",
}

_HEAD = """\
# ASVS

How Keyturn stands to version 5.0.0 of the
[OWASP Application Security Verification Standard](https://owasp.org/www-project-application-security-verification-standard/),
chapters V6 to V10, judged by ourselves and by nobody else. The topics are in our words; the standard has the sentences.

*Met* and *partly* name the tests or the documents that show it, and a test fails when one of them is not there. Nothing
is *met* because it is planned: what is not built or not shown is *not yet*, and *not applicable* says why it cannot
concern this service. The links lead to documents in this folder; what they are up against is the
[threat model](threat-model.md).

This page is made from `tests/asvs.toml` by `python -m tests.support.asvs`; change it there.
"""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement and our judgement. ``shown_by`` holds ``tests/….py::name`` and ``docs/….md#heading``."""

    id: str
    level: int
    topic: str
    status: str
    shown_by: tuple[str, ...] = ()
    why: str = ""

    @property
    def chapter(self) -> int:
        """The number after the V."""
        return int(self.id.partition(".")[0])


def expected_levels() -> dict[str, int]:
    """Each id of the standard's chapters V6 to V10 with its level."""
    return {
        f"{section}.{number}": int(level)
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, start=1)
    }


def requirements(path: Path = SOURCE) -> list[Requirement]:
    """Our judgements, in the order of the file. Raises TypeError for a field that is missing or unknown."""
    rows = tomllib.loads(path.read_text("utf-8"))["requirement"]
    return [Requirement(**{**row, "shown_by": tuple(row.get("shown_by", ()))}) for row in rows]


@cache
def tests_in(path: Path) -> frozenset[str]:
    """The names of the tests of a file, read without importing it."""
    tree = ast.parse(path.read_text("utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(name for name in names if name.startswith("test_"))


def is_test(node_id: str) -> bool:
    """Whether ``tests/….py::name`` is there."""
    file, _, name = node_id.partition("::")
    return (ROOT / file).is_file() and name in tests_in(ROOT / file)


def counts(found: list[Requirement]) -> Counter[tuple[int, int, str]]:
    """How many there are of a chapter, a level and a status."""
    return Counter((one.chapter, one.level, one.status) for one in found)


def page(found: list[Requirement]) -> str:
    """docs/asvs.md."""
    tables = [_chapter(number, [one for one in found if one.chapter == number]) for number in CHAPTERS]
    return "\n".join([_HEAD, _summary(found), *tables])


def _summary(found: list[Requirement]) -> str:
    total = Counter(one.status for one in found)
    told = ", ".join(f"{total[status]} {words}" for status, words in STATUSES.items())
    lines = [
        "## Counts",
        "",
        f"Met: **{total['met']} of {len(found)}**. All {len(found)}: {told}.",
        "",
        f"| chapter | level | {' | '.join(STATUSES.values())} | of |",
        f"|---|---|{'---|' * len(STATUSES)}---|",
    ]
    number = counts(found)
    for chapter, name in CHAPTERS.items():
        for level in (1, 2, 3):
            row = [number[chapter, level, status] for status in STATUSES]
            if sum(row):
                lines.append(_row(f"V{chapter} {name}", f"L{level}", *row, sum(row)))
    for level in (1, 2, 3):
        row = [sum(number[chapter, level, status] for chapter in CHAPTERS) for status in STATUSES]
        lines.append(_row("all", f"L{level}", *row, sum(row)))
    return "\n".join([*lines, _row("all", "all", *(total[status] for status in STATUSES), len(found)), ""])


def _chapter(number: int, found: list[Requirement]) -> str:
    lines = [f"## V{number} {CHAPTERS[number]}", "", "| | level | topic | status | shown by |", "|---|---|---|---|---|"]
    for one in found:
        shown = "<br>".join(part for part in (one.why, *map(_shown, one.shown_by)) if part)
        lines.append(_row(one.id, f"L{one.level}", one.topic, STATUSES[one.status], shown))
    return "\n".join([*lines, ""])


def _shown(reference: str) -> str:
    if "::" in reference:
        return f"`{reference}`"
    target = reference.removeprefix("docs/")
    return f"[{target}]({target})"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(page(requirements()), encoding="utf-8")
