"""What several benchmarks have in common: a made-up visit, and lines for whoever watches."""

from datetime import UTC, datetime
from typing import Final

from sonovan.contracts.van import Consent
from sonovan.producers.items import Visit

VISIT: Final = Visit(subject_key="0" * 64, site_code="site-1", consent=Consent(screening=True, ai=True))


def say(line: str) -> None:
    """A line on stdout at once, with the time in UTC."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)
