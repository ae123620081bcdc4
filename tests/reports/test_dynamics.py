"""The course of a lesion on the page: a drawing and its figures."""

from sonovan.contracts.dynamics import Dynamics, DynamicsSample
from sonovan.reports.dynamics import area_plot, course
from sonovan.reports.words import Words
from tests.clinical.records import sighting

COURSE = Dynamics(
    samples=tuple(
        DynamicsSample(frame_index=index, area_px=area, area_mm2=area / 100, circularity=0.8)
        for index, area in ((4, 500), (5, 1000), (6, 250))
    ),
    area_spread=0.5,
    circularity_spread=0.0,
    steadiness=0.62,
    against_tissue_px=3.0,
    against_tissue_mm=0.3,
)


def test_the_plot_runs_from_the_first_frame_to_the_last_and_up_to_the_largest() -> None:
    drawn = str(area_plot(sighting(dynamics=COURSE)))
    assert 'points="2.0,18.0 80.0,2.0 158.0,26.0"' in drawn
    assert "style=" not in drawn


def test_the_figures_have_their_units_in_both_languages() -> None:
    english, chinese = (course(sighting(dynamics=COURSE), Words(language)) for language in ("en", "zh"))
    assert "area 2.5 to 10.0 mm²" in english
    assert "its middle moves by 0.3 mm on average against the tissue" in english
    assert "2.5 至 10.0 mm²" in chinese
    assert "62 %" in chinese


def test_without_a_course_nothing_is_drawn_or_said() -> None:
    assert (str(area_plot(sighting())), course(sighting(), Words("en"))) == ("", "")
