"""The figures of a start: counted in a process of its own that really answers, and printed beside the floor's."""

from __future__ import annotations

import os
from unittest.mock import patch

from benchmarks.cold_start import STEPS, cold_start_lines, cold_starts
from benchmarks.targets.context import Context


async def test_a_start_is_counted_step_by_step(engine_url, tmp_path):
    context = Context(folder=tmp_path, engine_url=engine_url, short=True)
    with patch.dict(os.environ, context.aws):
        found = await cold_starts(context, rounds=1)
    for steps in found.values():
        assert all(steps[step] > 0 for step in STEPS)
    assert found["keyturn"]["import"] > found["keyturn"]["first request"]
    assert found["keyturn"]["modules"] > found["floor"]["modules"] > 500


def test_it_is_printed_as_a_multiple_of_what_it_stands_on():
    floor = dict.fromkeys(STEPS, 10.0) | {"modules": 900}
    text = "\n".join(cold_start_lines({"floor": floor, "keyturn": {step: 2 * floor[step] for step in floor}}))
    assert "| Keyturn | 20 | 20 | 20 | 20 | 80 | 1800 |" in text
    assert text.endswith("Keyturn's is 2.00 of what it stands on.")
