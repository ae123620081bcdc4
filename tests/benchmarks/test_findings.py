"""The figures of findings, on pictures whose answer is known."""

from benchmarks.findings import Picture, Seen, alerted, bands, bars_held, figures, table, withheld, word_figures
from sonovan.clinical.alert_settings import SuspiciousLesion

SETTINGS = {"breast.margin": 0.6, "breast.margin.circumscribed": 0.8, "breast.shape": 0.0}
RULE = SuspiciousLesion(min_malignant=0.5, words=("breast.orientation.not_parallel",))


def seen(
    malignant: float | None = 0.1, margin: tuple[float, float] = (0.9, 0.1), *, iou: float = 0.8, touches: bool = True,
    reliable: bool = True, orientation: str | None = "parallel",
) -> Seen:  # fmt: skip
    return Seen(iou, touches, 100, 0.8, reliable, malignant, {"breast.margin": margin}, orientation)


def picture(label: str, *regions: Seen, margin: str = "circumscribed") -> Picture:
    return Picture(label, "busi", "test", "breast", label, True, {"breast.margin": margin}, regions)


def test_a_word_is_counted_by_its_own_threshold_and_held_against_the_commonest_one() -> None:
    pictures = [
        picture("benign", seen(margin=(0.9, 0.1))),
        picture("benign", seen(margin=(0.7, 0.3))),
        picture("malignant", seen(margin=(0.2, 0.8)), margin="not_circumscribed"),
        picture("benign", seen(margin=(0.3, 0.7))),
        picture("benign", seen(margin=(0.9, 0.1), reliable=False)),
    ]
    head = word_figures(pictures, SETTINGS)["breast.margin"]
    assert (head["n"], head["majority"]) == (4, ["circumscribed", 3])
    round_word, other = head["words"]["circumscribed"], head["words"]["not_circumscribed"]
    assert (round_word["given"], round_word["right"]["n"], round_word["beats_majority"]) == (1, 1, True)
    assert (other["given"], other["right"]["n"], other["beats_majority"]) == (2, 1, False)


def test_a_word_of_a_head_that_is_off_is_never_given() -> None:
    head = word_figures([picture("benign", seen())], {})["breast.margin"]
    assert not head["on"]
    assert all(word["given"] == 0 for word in head["words"].values())


def test_alerts_are_of_lesions_that_were_outlined() -> None:
    pictures = [
        picture("malignant", seen(0.6)),
        picture("malignant", seen(0.6, touches=False)),
        picture("malignant", seen(0.4, orientation="not_parallel")),
        picture("malignant", seen(0.9, reliable=False)),
        picture("benign", seen(0.49)),
    ]
    found = alerted(pictures, RULE, SETTINGS)
    assert (found["malignant"]["n"], found["malignant"]["of"]) == (2, 3)
    assert (found["benign"]["n"], found["benign"]["of"]) == (0, 1)


def test_bad_and_good_outlines_that_are_withheld() -> None:
    regions = (seen(iou=0.1, reliable=False), seen(iou=0.2), seen(iou=0.9), seen(iou=0.4, reliable=False))
    found = withheld([picture("benign", *regions)])
    assert (found["bad"]["n"], found["bad"]["of"], found["good"]["n"], found["good"]["of"]) == (1, 2, 0, 1)


def test_bands_count_the_malignant_of_each() -> None:
    found = bands([picture("malignant", seen(0.97)), picture("benign", seen(0.97)), picture("benign", seen(0.01))])
    assert (found["≥ 95 %"]["n"], found["≥ 95 %"]["of"]) == (1, 2)
    assert (found["≤ 2 %"]["n"], found["≤ 2 %"]["of"]) == (0, 1)


def test_a_bar_that_is_missed_is_told_on_the_page() -> None:
    told = figures([picture("malignant", seen(0.2)), picture("benign", seen(0.9), seen(iou=0.0))], SETTINGS, RULE)
    bars = bars_held(told)
    assert bars == {
        "bad_withheld": False, "good_withheld": True, "malignant_alerted": False, "benign_alerted": False
    }  # fmt: skip
    document = {
        "model": "m", "provider": "cpu/fp32", "rule": {"min_malignant": 0.5}, "bars": bars,
        "splits": {"validation": told, "test": told},
    }  # fmt: skip
    assert "malignant alerted missed" in table(document)
