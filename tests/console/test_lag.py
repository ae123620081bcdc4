"""How far stages are behind, on a page: the newest figures, what they were, and what is said where Kafka is away."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from sonovan.contracts.errors import Transient
from sonovan.contracts.topics import Topic, Writer
from sonovan.transport.lag import Lag
from tests.console.world import running
from tests.waiting import until

FRAMES = Topic.FRAME_CAPTURED.value


class Broker:
    """What a broker would tell; the first measurement of a console waits for nobody."""

    def __init__(self) -> None:
        self.behind: int | None = 40

    def __call__(self) -> Sequence[Lag]:
        if self.behind is None:
            raise Transient("no broker")
        return [
            Lag(Writer.ASSESS, Topic.FRAME_SEGMENTED.value, 0, 0, 0),
            Lag(Writer.SEGMENT, FRAMES, self.behind, 2, self.behind - 5),
        ]


def test_a_stage_that_falls_behind_stands_out_and_its_plot_leads_to_its_row(tmp_path: Path) -> None:
    broker = Broker()
    with running(tmp_path, measure=broker) as here:
        until(lambda: here.console.lags.kept, "the console measures as it starts")
        engineer = here.browser("en-1", "engineer")
        assert "attention" not in engineer.get("/lag").text.partition("<main")[2], "what was before is not known"
        here.clock.forward(minutes=10)
        broker.behind = 900
        here.console.lags.look()
        page = engineer.get("/lag").text
        assert re.search(r'<td class="attention">900</td><td>2</td><td>895</td><td>40</td>', page)
        marks = set(re.findall(r'<a href="#(lag-\d+)">', page))
        assert marks == {"lag-0", "lag-1"} == set(re.findall(r'<tr id="(lag-\d+)"', page))
        told = engineer.get("/lag?as=csv").text.removeprefix("\ufeff").splitlines()
        assert told[:3] == ["stage,topic,behind,partitions,most", "assess,frame.segmented.v1,0,0,0",
                            "segment,frame.captured.v1,900,2,895"]  # fmt: skip
        here.clock.forward(minutes=10)
        here.console.lags.look()
        assert "attention" not in engineer.get("/lag").text.partition("<main")[2], "it does not grow"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_where_kafka_is_away_the_last_figures_stay_and_the_page_says_so(tmp_path: Path, language: str) -> None:
    broker = Broker()
    with running(tmp_path, measure=broker) as here:
        until(lambda: here.console.lags.kept, "the console measures as it starts")
        broker.behind = None
        here.console.lags.look()
        lead = here.browser("ld-1", "lead")
        lead.cookies["language"] = language
        page = lead.get("/lag").text
        assert ">40<" in page
        assert here.console.words[language].say("lag_away") in page
        assert here.told == []
