from __future__ import annotations

import pytest

from service.store.table import Table, TableNames


@pytest.mark.parametrize("table", list(Table))
def test_a_table_has_the_prefix_of_its_deployment(table):
    assert TableNames("prod").of(table) == f"prod-{table.value}"


def test_no_two_kinds_of_data_share_a_table():
    assert len({TableNames("p").of(table) for table in Table}) == len(Table)
