from __future__ import annotations

import gc

import pytest

from service.kernel.collector import without_collecting


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_inside_and_what_was_made_there_is_not_looked_through_again():
    gc.unfreeze()
    before = gc.get_freeze_count()
    with without_collecting():
        assert not gc.isenabled()
        made = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() - before >= len(made)


def test_it_is_as_before_after_a_failure_and_where_somebody_else_has_switched_it_off():
    with pytest.raises(ZeroDivisionError), without_collecting():
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    with without_collecting():
        pass
    assert not gc.isenabled()
