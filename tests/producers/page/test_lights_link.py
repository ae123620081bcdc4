"""What the page of the lights says of the link and of the laptop's clock."""

import time
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

from tests.producers.page.pages import desk


def test_the_lights_say_why_nothing_goes_until_the_centre_answers(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        link = here.page.link
        assert "No answer" not in here.text("/lights")
        link.silent(for_s=59)
        assert "No answer" not in here.text("/lights")
        link.answered()
        link.silent(for_s=150)
        assert "No answer from the centre for 2 min" in here.text("/lights")
        link.silent(certificate_refused=True)
        text = unescape(here.text("/lights"))
        assert "By this laptop's clock the centre's certificate does not count" in text
        assert "No answer" not in text
        link.cannot_send = True
        assert "Nothing can be sent" in here.text("/lights")
        link.answered()
        assert "Nothing can be sent" not in here.text("/lights")
        assert "certificate" not in here.text("/lights")


def test_the_lights_say_that_the_clock_is_wrong_and_stay_green(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.page.link.note_clock(datetime.now(UTC), datetime.now(UTC) + timedelta(minutes=25))
        text = unescape(here.text("/lights"))
        assert "This laptop's clock is wrong by 25 min" in text
        assert "The van may leave" in text


def test_the_lights_say_that_the_clock_is_behind_without_any_link(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        here.page.spool.aging.note(time.time() + 7200)
        assert "clock is wrong by 120 min" in unescape(here.text("/lights"))
