"""Trace context in headers: as the standard writes it, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.contracts.ids import mint_id
from sonovan.contracts.tracing import TraceContext, capture_of, step_in, step_under_way, within

HEX = st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda text: int(text, 16) > 0)


@given(high=HEX, low=HEX, span=HEX)
def test_a_step_is_read_back_from_its_header(high: str, low: str, span: str) -> None:
    step = TraceContext(high + low, span)
    assert step_in([("frame_id", b"x"), step.header, ("empty", None)]) == step
    assert step.header[1] == f"00-{high}{low}-{span}-01".encode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"1" * 32 + b"-" + b"0" * 16 + b"-01",
        b"01-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"A" * 32 + b"-" + b"1" * 16 + b"-01",
        b"00-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01\n",
        b"00-Li Guihua",
    ],
)
def test_what_is_no_context_is_none(value: bytes | None) -> None:
    assert step_in([("traceparent", value)]) is None
    assert step_in(None) is None


def test_a_screening_is_one_trace_that_does_not_tell_which_and_an_item_one_step() -> None:
    screening_id = mint_id()
    first, again = capture_of(screening_id, "a/000000"), capture_of(screening_id, "a/000000")
    other = capture_of(screening_id, "a/000001")
    assert first == again
    assert first.trace_id == other.trace_id
    assert first.span_id != other.span_id
    assert screening_id.replace("-", "") not in first.trace_id
    assert step_in([first.header]) == first


def test_a_step_is_under_way_within_its_block_alone() -> None:
    step = capture_of(mint_id(), "a")
    with within(step):
        caused = step.caused()
        assert step_under_way() == step
    assert step_under_way() is None
    assert (caused.trace_id, caused.span_id != step.span_id) == (step.trace_id, True)
