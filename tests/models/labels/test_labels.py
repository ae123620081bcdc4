"""Consensus, agreement on outlines and words, and which readings stand out."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonovan.models.evaluation.index import UnusableData
from sonovan.models.evaluation.measures import overlap
from sonovan.models.labels.agreement import agreement
from sonovan.models.labels.kappa import cohen, fleiss
from sonovan.models.labels.readings import Reading, read_readings
from sonovan.models.labels.staple import consensus

SIZE = (160, 200)


def ellipse(
    column: int = 100, row: int = 80, across: int = 30, down: int = 20, size: tuple[int, int] = SIZE
) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (column, row), (across, down), 0, 0, 360, 1, -1)
    return mask > 0


EMPTY = np.zeros(SIZE, np.bool_)


def test_the_consensus_of_three_leaves_out_the_one_who_drew_elsewhere() -> None:
    found = consensus([ellipse(), ellipse(102), ellipse(40, 40)])
    assert overlap(found, ellipse(101))[0] > 0.95
    assert not found[20:60, 20:60].any()


def test_the_consensus_of_readers_with_small_errors_is_nearer_to_the_truth_than_each_of_them() -> None:
    rng = np.random.default_rng(3)
    truth = ellipse()
    readers = []
    for _ in range(5):
        column, row, across, down = rng.integers(-4, 5, 4)
        readers.append(ellipse(100 + column, 80 + row, 30 + across, 20 + down))
    assert overlap(consensus(readers), truth)[0] > max(overlap(each, truth)[0] for each in readers)


def test_the_consensus_does_not_depend_on_how_much_else_the_picture_shows() -> None:
    """STAPLE alone comes to another mask of these four where there is more empty picture around them."""
    drawn = ((112, 74, 10, 21), (110, 82, 10, 25), (95, 73, 23, 31), (113, 71, 28, 28))
    readers = [ellipse(*each) for each in drawn]
    wide = [np.pad(each, ((300, 300), (300, 300))) for each in readers]
    assert (consensus(wide)[300:-300, 300:-300] == consensus(readers)).all()


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        ([EMPTY, EMPTY], EMPTY),
        ([ellipse(), EMPTY], EMPTY),
        ([ellipse(), ellipse(), EMPTY], ellipse()),
        ([ellipse(), EMPTY, EMPTY], EMPTY),
        ([ellipse()], ellipse()),
    ],
)
def test_where_readers_disagree_on_whether_there_is_anything_the_more_decide(
    masks: list[np.ndarray], expected: np.ndarray
) -> None:
    assert (consensus(masks) == expected).all()


def test_masks_of_several_shapes_have_no_consensus() -> None:
    with pytest.raises(ValueError, match="one shape"):
        consensus([EMPTY, EMPTY[1:]])


def test_cohens_kappa_is_that_of_the_textbook() -> None:
    """Fifty applications, two readers: 20 yes yes, 5 yes no, 10 no yes, 15 no no: .7 agreed, .5 by chance."""
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    told = cohen(one, other, [f"g{number}" for number in range(50)])
    assert (told.n, told.agreement, told.kappa) == (50, 0.7, 0.4)
    assert told.ci95 is not None
    assert 0.05 < told.ci95[0] < 0.25
    assert 0.55 < told.ci95[1] < 0.75


FLEISS_1971 = ((0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
               (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7))  # fmt: skip


def test_fleiss_kappa_is_that_of_the_textbook() -> None:
    """Ten subjects, fourteen readers, five words: .210."""
    chosen = [[str(word) for word, count in enumerate(row) for _ in range(count)] for row in FLEISS_1971]
    assert fleiss(chosen, [""] * 10).kappa == pytest.approx(0.210, abs=0.0005)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_kappa_is_1_only_for_full_agreement_and_never_more(pairs: list[tuple[str, str]]) -> None:
    told = cohen([a for a, _ in pairs], [b for _, b in pairs], [""] * len(pairs))
    if told.kappa is not None:
        assert told.kappa <= 1
        assert (told.kappa == 1) == all(a == b for a, b in pairs)
    else:
        assert len({word for pair in pairs for word in pair}) == 1


def test_one_word_for_everything_cannot_be_told_from_chance() -> None:
    assert cohen(["oval"] * 5, ["oval"] * 5, [""] * 5).kappa is None
    assert fleiss([["oval"], ["oval"]], ["", ""]).n == 0


def readings() -> list[Reading]:
    found = []
    for number in range(8):
        truth = ellipse(60 + 10 * number)
        for reader, moved in (("op-1", 0), ("op-2", 1), ("op-3", 2)):
            words = {"shape": "oval" if number % 2 or reader == "op-3" else "round"}
            found.append(Reading(f"p{number}", reader, np.roll(truth, moved, 1), words, f"woman{number // 2}"))
    return found


def test_each_reader_is_measured_against_the_others_with_an_interval() -> None:
    told = agreement(readings())
    by_name = {each.reader: each for each in told.readers}
    assert set(by_name) == {"op-1", "op-2", "op-3"}
    assert all(each.dice is not None and each.dice > 0.9 and each.ci95 is not None for each in told.readers)
    assert by_name["op-2"].dice > by_name["op-1"].dice  # type: ignore[operator]  # it lies between the others
    assert told.outliers == ()
    (shape,) = told.words
    assert shape.pairs["op-1", "op-2"].kappa == 1
    assert shape.pairs["op-1", "op-3"].kappa == 0
    assert shape.all is not None
    assert shape.all.n == 8


def test_of_two_readers_each_is_measured_against_the_other_alone() -> None:
    one, other = ellipse(), ellipse(108)
    told = agreement([Reading("p", "op-1", one), Reading("p", "op-2", other)])
    assert [each.dice for each in told.readers] == [round(overlap(one, other)[0], 4)] * 2
    assert [each.ci95 for each in told.readers] == [None, None]  # of one woman nothing can be told


def test_readings_that_stand_out_are_named_with_why() -> None:
    changed = {("p1", "op-2"): EMPTY, ("p3", "op-3"): ellipse(20, 20, 8, 8), ("p5", "op-1"): ellipse(110, 80, 8, 60)}
    odd = [
        Reading(each.picture, each.reader, changed.get((each.picture, each.reader), each.mask), {}, each.group)
        for each in readings()
    ]
    odd += [Reading("p9", "op-1", EMPTY), Reading("p9", "op-2", EMPTY), Reading("p9", "op-3", ellipse())]
    odd += [Reading("q1", "op-1", ellipse()), Reading("q2", "op-1", EMPTY), Reading("q2", "op-2", EMPTY)]
    told = agreement(odd)
    assert {(each.picture, each.reader): each.reason for each in told.outliers} == {
        ("p1", "op-2"): "drew_nothing",
        ("p3", "op-3"): "elsewhere",
        ("p5", "op-1"): "far_from_others",
        ("p9", "op-3"): "drew_alone",
    }
    first = told.readers[0]
    assert (first.pictures, first.both_empty) == (10, 2)
    assert told.alone == ("q1",)
    assert "q1" not in told.consensus


def test_who_reads_a_picture_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        agreement([Reading("a", "op-1", EMPTY), Reading("a", "op-1", EMPTY)])


def test_a_folder_of_readers_is_read_with_words_and_groups(tmp_path: Path) -> None:
    for reader in ("op-1", "op-2"):
        (tmp_path / reader).mkdir()
        cv2.imwrite(str(tmp_path / reader / "p1.png"), ellipse().astype(np.uint8) * 255)
    (tmp_path / "words.csv").write_text("reader,picture,term,word\nop-1,p1,shape,oval\n", encoding="utf-8")
    (tmp_path / "groups.csv").write_text("picture,group\np1,w1\n", encoding="utf-8")
    one, two = read_readings(tmp_path)
    assert (one.reader, one.words, one.group, two.words) == ("op-1", {"shape": "oval"}, "w1", {})
    assert (one.mask == ellipse()).all()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("words.csv", b"reader,picture,term,word\nop-9,p1,shape,oval\n", "op-9/p1.png, which is not there"),
        ("groups.csv", b"picture,group\np7,w1\n", "the picture p7"),
        ("groups.csv", b"picture\np1\n", "no column group"),
        ("op-2/p1.png", cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes(), "all masks of a picture"),
    ],
)
def test_a_folder_that_contradicts_itself_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    for reader in ("op-1", "op-2"):
        (tmp_path / reader).mkdir()
        cv2.imwrite(str(tmp_path / reader / "p1.png"), ellipse().astype(np.uint8))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableData, match=told):
        read_readings(tmp_path)
