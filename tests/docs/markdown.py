"""Reading our own documents: their fences, links and the words they put into code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCUMENTS = tuple(
    sorted(path for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md") for path in ROOT.glob(pattern))
)

# Read where there is no service: by the engines, and by tests. The last is one of Django's settings.
DOCUMENTED_ELSEWHERE = {"KEYTURN_ENGINES_DIR", "KEYTURN_LONG", "KEYTURN_REQUIRE_PROGRAMS", "KEYTURN_WEBSESSION"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


class Fence(NamedTuple):
    language: str
    text: str


def name_of(path: Path) -> str:
    """The document's name as tests show it."""
    return str(path.relative_to(ROOT))


def fences(text: str) -> list[Fence]:
    return [Fence(*found) for found in _FENCE.findall(text)]


def without_fences(text: str) -> str:
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    return _LINK.findall(without_fences(text))


def code_words(text: str) -> list[str]:
    """What stands in backticks, and each line of the fences for a shell."""
    shell = [line for fence in fences(text) if fence.language == "sh" for line in fence.text.splitlines()]
    return _CODE.findall(without_fences(text)) + shell


def section(text: str, title: str) -> str:
    """What stands under ``## title``."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def anchors(text: str) -> set[str]:
    """The names of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", without_fences(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
