from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens.snapshot import wrap_context
from service.tokens.wrap import UnwrapError
from tests.unit.tokens.conftest import KEKS, Algorithm, make_wrapper

PLAIN = b"private key"
CONTEXT = wrap_context(algorithm=Algorithm.ES256, slot=1, kid="a")


async def wrapped(**more):
    return await make_wrapper(**more).wrap(PLAIN, context=CONTEXT)


async def refused(sealed, *, context=CONTEXT, keks=KEKS):
    with pytest.raises(UnwrapError):
        await make_wrapper(keks).unwrap(sealed, context=context)


@given(st.binary(max_size=300), st.binary(max_size=50))
async def test_what_was_wrapped_is_unwrapped_by_any_process_with_the_key(plain, context):
    sealed = await make_wrapper().wrap(plain, context=context)
    assert await make_wrapper(seed="another process").unwrap(sealed, context=context) == plain


async def test_nobody_reads_a_key_in_what_is_stored():
    assert PLAIN not in await wrapped()


async def test_one_key_is_wrapped_differently_each_time():
    wrapper = make_wrapper()
    assert await wrapper.wrap(PLAIN, context=CONTEXT) != await wrapper.wrap(PLAIN, context=CONTEXT)


async def test_a_key_swapped_in_from_another_record_does_not_open():
    sealed = await wrapped()
    for context in (
        wrap_context(algorithm=Algorithm.ES256, slot=2, kid="a"),
        wrap_context(algorithm=Algorithm.ES256, slot=1, kid="b"),
        wrap_context(algorithm=Algorithm.EDDSA, slot=1, kid="a"),
        b"",
    ):
        await refused(sealed, context=context)


async def test_a_changed_bit_anywhere_does_not_open():
    sealed = await wrapped()
    for bit in range(len(sealed) * 8):
        forged = bytearray(sealed)
        forged[bit // 8] ^= 1 << bit % 8
        await refused(bytes(forged))


async def test_what_was_truncated_or_lengthened_does_not_open():
    sealed = await wrapped()
    for length in range(len(sealed)):
        await refused(sealed[:length])
    await refused(sealed + b"\x00")


async def test_an_old_key_encryption_key_still_opens_and_the_active_one_wraps():
    old = await wrapped(active_kid=1)
    assert await make_wrapper(active_kid=2).unwrap(old, context=CONTEXT) == PLAIN
    new = await wrapped(active_kid=2)
    assert (old[1], new[1]) == (1, 2)


async def test_a_key_encryption_key_that_is_not_set_does_not_open():
    await refused(await wrapped(active_kid=2), keks={1: KEKS[1]})


async def test_another_key_under_the_same_number_does_not_open():
    await refused(await wrapped(), keks={1: b"x" * 32})


def test_a_printed_wrapper_shows_no_key():
    assert repr(KEKS[1])[2:-1] not in repr(make_wrapper())
