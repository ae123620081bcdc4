"""What a site lets the uploader use of its link."""

from datetime import datetime, time
from pathlib import Path

import pytest

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.gateway.settings import read_options
from sonovan.producers.link import ALL_LEVELS, LinkOptions, Pace, metered_by_network_manager
from tests.programs import install

NIGHT = LinkOptions.model_validate({"hours": [{"from": "22:00", "to": "06:00", "mbit_per_s": 1}], "mbit_per_s": 4})


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def pace(options: LinkOptions, clock: Clock, hour: int = 12, metered: bool = False) -> Pace:
    noon = datetime(2026, 11, 27, hour)
    return Pace(options, is_metered=lambda: metered, clock=clock, now=lambda: noon)


@pytest.mark.parametrize(("at", "most"), [(time(23), 1), (time(5, 59), 1), (time(6), 4), (time(12), 4)])
def test_hours_may_go_over_midnight(at: time, most: float) -> None:
    assert NIGHT.most(at) == most


def test_a_frame_waits_until_those_before_it_fit_the_limit() -> None:
    clock = Clock()
    paced = pace(NIGHT, clock)
    assert paced.wait_s() == 0
    paced.spend(250_000)
    assert paced.wait_s() == pytest.approx(0.5)
    clock.seconds = 60.0
    assert paced.wait_s() == 0
    paced.spend(500_000)
    assert paced.wait_s() == pytest.approx(1.0)  # what was not used in a minute is not made up for


def test_without_a_limit_nothing_waits() -> None:
    paced = pace(LinkOptions(), Clock())
    paced.spend(10**9)
    assert (paced.wait_s(), paced.levels()) == (0, ALL_LEVELS)


def test_on_a_metered_link_first_levels_alone_go() -> None:
    assert pace(LinkOptions(metered="ask", metered_levels=1), Clock(), metered=True).levels() == 1
    assert pace(LinkOptions(metered="ask"), Clock(), metered=False).levels() == ALL_LEVELS
    assert pace(LinkOptions(metered="yes"), Clock(), metered=False).levels() == 2


def test_the_system_is_asked_twice_a_minute_at_most() -> None:
    clock, asked = Clock(), [0]

    def ask() -> bool:
        asked[0] += 1
        return False

    paced = Pace(LinkOptions(metered="ask"), is_metered=ask, clock=clock)
    for second in range(60):
        clock.seconds = float(second)
        paced.levels()
    assert asked == [2]


def test_in_hours_without_a_share_no_frame_goes() -> None:
    options = LinkOptions.model_validate({"hours": [{"from": "08:00", "to": "17:30", "mbit_per_s": 0}]})
    assert pace(options, Clock(), hour=12).levels() == 0
    assert pace(options, Clock(), hour=18).levels() == ALL_LEVELS


@pytest.mark.parametrize(("said", "metered"), [("u 1", True), ("u 3", True), ("u 2", False), ("u 4", False)])
def test_network_manager_says_whether_the_link_is_metered(
    said: str, metered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, busctl=f"echo {said}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert metered_by_network_manager() is metered


def test_a_system_without_network_manager_is_not_metered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not metered_by_network_manager()


def test_the_file_of_a_van_says_what_its_link_may_carry(tmp_path: Path) -> None:
    (tmp_path / "van.toml").write_text(
        '[link]\nmbit_per_s = 4\nmetered = "ask"\n[[link.hours]]\nfrom = "08:00"\nto = "17:30"\nmbit_per_s = 0.5\n'
    )
    link = read_options(tmp_path, None).link
    assert (link.most(time(9)), link.most(time(20)), link.metered) == (0.5, 4, "ask")


def test_hours_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "van.toml").write_text('[[link.hours]]\nfrom = "08:00"\nto = "08:00"\nmbit_per_s = 1\n')
    with pytest.raises(InvalidRecord, match=r"link.hours.0.*two different times") as caught:
        read_options(tmp_path, None)
    assert caught.value.reason == "option_invalid"
