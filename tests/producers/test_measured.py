"""A van's metrics are what it reports."""

from datetime import UTC, datetime

from sonovan.contracts.van_reports import VanReported
from sonovan.producers.measured import VanMetric, van_metrics

REPORT = VanReported(
    van_id="van-7", reported_at=datetime(2026, 11, 28, tzinfo=UTC), waiting=3, waiting_bytes=900, oldest_s=60, held=1,
    rejected=2, unfinished=1, disk_free_bytes=10**9, clock_ahead_s=-0.5, link_bits_per_s=4000, metered=False,
    version="1.0", python="3.11.2",
)  # fmt: skip


def test_every_figure_of_the_report_is_a_metric() -> None:
    lines = [line for line in van_metrics(REPORT).splitlines() if not line.startswith("#")]
    assert [line.partition("{")[0] for line in lines] == [metric.value.name for metric in VanMetric]
    assert 'sonovan_van_info{van="van-7",version="1.0",python="3.11.2"} 1' in lines
    assert 'sonovan_van_clock_ahead_seconds{van="van-7"} -0.5' in lines
    assert 'sonovan_van_waiting_bytes{van="van-7"} 900' in lines


def test_what_is_not_known_is_left_out_and_no_0() -> None:
    text = van_metrics(REPORT.model_copy(update={"clock_ahead_s": None, "link_bits_per_s": None, "oldest_s": None}))
    assert "sonovan_van_clock_ahead_seconds{" not in text
    assert "sonovan_van_link_bits_per_second{" not in text
    assert 'sonovan_van_oldest_unsent_seconds{van="van-7"} 0' in text
