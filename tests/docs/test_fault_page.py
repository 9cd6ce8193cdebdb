"""docs/faults.md names the journeys that a worker is killed in, and says how many there are."""

from __future__ import annotations

from pathlib import Path

from tests.support.journeys.book import KILLED, STRUCK

PAGE = Path(__file__).resolve().parents[2] / "docs/faults.md"


def test_the_page_names_the_journeys_that_a_worker_is_killed_in():
    _, _, after = PAGE.read_text(encoding="utf-8").partition("## Kill -9")
    told = " ".join(after.partition("## ")[0].split())
    assert f"{len(KILLED)} of the {len(STRUCK)} journeys" in told
    named = told.partition("journeys: ")[2].partition(". ")[0]
    assert named.split(", ") == [journey.name for journey in KILLED]
