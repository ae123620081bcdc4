"""What a van tells Prometheus of itself: what it reports to its centre (`van.reported`), as of now."""

from enum import Enum
from typing import Final

from sonovan.contracts.exposition import Described
from sonovan.contracts.van_reports import VanReported


class VanMetric(Enum):
    """All metrics of a van. Each also has the label `van`."""

    INFO = Described("sonovan_van_info", "gauge", ("version", "python"), "What runs, in labels.")
    WAITING = Described("sonovan_van_waiting_items", "gauge", (), "Items of the spool that the centre has not.")
    WAITING_BYTES = Described("sonovan_van_waiting_bytes", "gauge", (), "Their bytes.")
    OLDEST = Described("sonovan_van_oldest_unsent_seconds", "gauge", (), "Age of the oldest of them, 0 without any.")
    HELD = Described("sonovan_van_held_frames", "gauge", (), "Frames that wait for the operator.")
    REJECTED = Described("sonovan_van_rejected_items", "gauge", (), "Items that the centre could not use.")
    UNFINISHED = Described("sonovan_van_unfinished_screenings", "gauge", (), "Screenings that are not closed.")
    DISK = Described("sonovan_van_disk_free_bytes", "gauge", (), "On the disk of the spool.")
    CLOCK = Described("sonovan_van_clock_ahead_seconds", "gauge", (), "This machine's clock less the broker's.")
    LINK = Described("sonovan_van_link_bits_per_second", "gauge", (), "Of the last items that were sent.")


_OF: Final = {
    VanMetric.WAITING: "waiting",
    VanMetric.WAITING_BYTES: "waiting_bytes",
    VanMetric.HELD: "held",
    VanMetric.REJECTED: "rejected",
    VanMetric.UNFINISHED: "unfinished",
    VanMetric.DISK: "disk_free_bytes",
    VanMetric.CLOCK: "clock_ahead_s",
    VanMetric.LINK: "link_bits_per_s",
}
"""Which field of the report each metric is; None there leaves the line out, for unknown is not 0."""


def van_metrics(report: VanReported) -> str:
    """A report in Prometheus' text format."""
    own = {"van": report.van_id}
    lines: list[str] = []
    for metric in VanMetric:
        told = metric.value
        lines += told.head()
        if metric is VanMetric.INFO:
            lines.append(told.line(own, (report.version, report.python), 1.0))
        elif metric is VanMetric.OLDEST:
            lines.append(told.line(own, (), float(report.oldest_s or 0)))
        elif (value := getattr(report, _OF[metric])) is not None:
            lines.append(told.line(own, (), float(value)))
    return "\n".join(lines) + "\n"
