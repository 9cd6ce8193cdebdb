from __future__ import annotations

import pytest

from service.kernel.entropy import Entropy, SystemEntropy


@pytest.mark.parametrize("size_bytes", [0, 1, 16, 70])
def test_as_many_bytes_come_out_as_were_asked_for(size_bytes):
    assert len(SystemEntropy().token_bytes(size_bytes)) == size_bytes


def test_no_two_draws_are_alike():
    entropy: Entropy = SystemEntropy()
    assert len({entropy.token_bytes(16) for _ in range(200)}) == 200
