"""What readers draw: masks on request, carried over to neighbours, and saved as reviews, blind ones first."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection

from sonovan.contracts.errors import Transient
from sonovan.contracts.ids import mint_id
from sonovan.contracts.record import Record
from sonovan.contracts.reviews import FrameReviewed
from sonovan.models.heads.prompting import agreement
from sonovan.models.masks import decode_mask
from sonovan.models.phantom.sweep import SimulatedSweep, simulate_sweep
from sonovan.models.runs import labels_of, runs_of
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from tests.console.cine_scene import Clip, Made, lesion, make_screening
from tests.console.world import Answer, Browser, Running, running

OPEN = "0192f0c1-2345-7abc-8def-0123456789ab"
BLIND = "0192f0c1-2345-7abc-8def-0123456789ac"
KEY = 6
BEGIN = 4
"""The phantom's first frames show no lesion."""


@cache
def phantom() -> SimulatedSweep:
    return simulate_sweep("breast", frames=33, seed=5)


def truth(index: int) -> NDArray[np.bool_]:
    found = np.zeros(phantom().frames[BEGIN + index].shape, np.bool_)
    for each in phantom().truth[BEGIN + index]:
        found |= each.mask
    return found


def off(index: int, rows: int, columns: int) -> NDArray[np.bool_]:
    """A machine's mask that is far beside the lesion."""
    return np.roll(truth(index), 70, axis=1)


def clip(number: int, count: int = 16) -> Clip:
    rows, columns = phantom().frames[0].shape
    return Clip(
        f"0192f0c1-2345-7abc-8def-00000000000{number}", count, rows=rows, columns=columns, spacing_mm=None,
        picture=lambda index, _rows, _columns: phantom().frames[BEGIN + index], mask=off,
    )  # fmt: skip


@dataclass
class Scene:
    """A console with one screening that is open to prompts."""

    console: Running
    made: Made


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, made = tmp_path_factory.mktemp("drawing"), list[Made]()

    def rows(connection: Connection) -> None:
        made.append(
            make_screening(
                connection, FolderStore(folder / "objects"), OPEN, [clip(1)], findings=[lesion(clip(1), 3, 6)]
            )
        )

    with running(folder, rows=rows, blind_share=0.0) as console:
        yield Scene(console, made[0])


def ask(browser: Browser, path: str, told: Any) -> Answer:
    headers = {"Content-Type": "application/json", "X-Console-Token": browser.token, "Accept": "application/json"}
    return browser.ask("POST", path, json.dumps(told).encode(), headers)


def on(kind: str, index: int, screening: str = OPEN, number: int = 1) -> str:
    return f"/reading/{screening}/{kind}/{clip(number).sequence_id}/{index}"


def flat(mask: NDArray[np.bool_]) -> list[int]:
    return [int(each) for each in runs_of(mask.astype(np.uint8)).ravel()]


def mask_of(runs: list[int]) -> NDArray[np.bool_]:
    rows, columns = phantom().frames[0].shape
    return labels_of(np.array(runs, np.uint16).reshape(-1, 4), (rows, columns)) > 0


def middle(mask: NDArray[np.bool_]) -> list[int]:
    row, column = (int(each.mean()) for each in np.nonzero(mask))
    return [column, row]


def told_of(scene: Scene, index: int, mask: NDArray[np.bool_], code: str, **other: Any) -> dict[str, Any]:
    frame = scene.made.frames[f"{clip(1).sequence_id}/{index:06d}"]
    fields = {"drawing": mint_id(), "by": code, "sha256": frame.image_sha256, "runs": flat(mask), "from": "nothing"}
    return {**fields, **other}


def test_a_click_raises_the_dice_of_a_known_case_and_another_one_corrects_it(scene: Scene) -> None:
    reader, true = scene.console.browser("dr-1", "reader"), truth(KEY)
    assert ask(reader, on("ready", KEY), {"at": middle(true)}).status == 204
    before = agreement(off(KEY, 0, 0), true)
    answer = ask(reader, on("click", KEY), {"points": [[*middle(true), 1]], "before": None})
    found = json.loads(answer.body)
    assert found["frame"] == f"{clip(1).sequence_id}/{KEY:06d}"
    clicked = agreement(mask_of(found["runs"]), true)
    assert clicked > 0.85 > before
    beside = [middle(true)[0] + 150, middle(true)[1]]
    points = [[*middle(true), 1], [*beside, 0]]
    again = json.loads(ask(reader, on("click", KEY), {"points": points, "before": found["runs"]}).body)
    assert not mask_of(again["runs"])[beside[1], beside[0]]
    assert agreement(mask_of(again["runs"]), true) > 0.8


def test_a_mask_is_carried_over_to_neighbours_and_nothing_of_it_is_saved(scene: Scene) -> None:
    reader, sent = scene.console.browser("dr-1", "reader"), len(scene.console.sent)
    start = 6
    answer = json.loads(ask(reader, on("carry", start), {"runs": flat(truth(start))}).body)
    found = {each["index"]: each for each in answer["frames"]}
    assert {start - 1, start + 1} <= found.keys()
    assert start not in found
    assert all(agreement(mask_of(found[index]["runs"]), truth(index)) > 0.7 for index in (start - 1, start + 1))
    assert len(scene.console.sent) == sent
    empty = ask(reader, on("carry", start), {"runs": []})
    assert (empty.status, json.loads(empty.body)["error"]) == (400, "nothing_to_carry")


def test_a_saved_mask_is_a_review_with_its_object_and_sent_twice_it_is_one(scene: Scene) -> None:
    reader = scene.console.browser("dr-2", "reader")
    told = told_of(scene, 4, truth(4), "dr-2")
    first, second = (json.loads(ask(reader, on("review", 4), told).body) for _ in range(2))
    assert first == second
    one, other = (each for each in scene.console.sent if isinstance(each, FrameReviewed) and each.reader == "dr-2")
    assert one == other
    assert (one.frame_id, one.blind, one.verdict, one.origin) == (told_frame(4), False, "drawn", "console")
    assert one.compared is not None
    assert one.compared.mask_sha256 == scene.made.frames[told_frame(4)].mask_sha256
    assert one.mask_key is not None
    stored = scene.console.images.get(Bucket.MASKS, one.mask_key)
    assert one.mask_key.startswith("reviews/")
    assert hashlib.sha256(stored).hexdigest() == one.mask_sha256
    assert np.array_equal(decode_mask(stored) > 0, truth(4))
    (own,) = json.loads(reader.get(f"/reading/{OPEN}/drawn").body)
    assert (own["frame"], np.array_equal(mask_of(own["runs"]), truth(4))) == (told_frame(4), True)
    assert ("reading.drawn", "dr-2") in {(act["what"], act["by"]) for act in scene.console.acts()}


def told_frame(index: int) -> str:
    return f"{clip(1).sequence_id}/{index:06d}"


def test_the_machines_mask_is_agreed_with_or_corrected_and_an_empty_one_says_that_nothing_is_there(
    scene: Scene,
) -> None:
    reader = scene.console.browser("dr-3", "reader")
    agreed = off(5, 0, 0)
    ask(reader, on("review", 5), told_of(scene, 5, agreed, "dr-3", **{"from": "machine"}))
    ask(reader, on("review", 6), told_of(scene, 6, truth(6), "dr-3", **{"from": "machine"}))
    ask(reader, on("review", 7), told_of(scene, 7, np.zeros_like(agreed), "dr-3"))
    reviews = [each for each in scene.console.sent if isinstance(each, FrameReviewed) and each.reader == "dr-3"]
    assert [(each.verdict, each.mask_key is None) for each in reviews] == [
        ("agreed", False), ("corrected", False), ("drawn", True),
    ]  # fmt: skip
    assert reviews[0].mask_sha256 == scene.made.frames[told_frame(5)].mask_sha256
    assert [None if each.regions is None else len(each.regions) for each in reviews] == [1, 1, 0]
    assert all(each.measures.long_axis_px > 20 for review in reviews[:2] for each in review.regions or ())


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"sha256": "0" * 64}, 409, "picture_changed"),
        ({"by": "dr-1"}, 409, "another_reader"),
        ({"drawing": "no id"}, 400, "unreadable"),
        ({"runs": [1, 9999, 0, 4]}, 400, "unreadable"),
        ({"runs": [1, 2, 3]}, 400, "unreadable"),
        ({"runs": "all"}, 400, "unreadable"),
    ],
)
def test_what_does_not_fit_is_not_saved(scene: Scene, change: dict[str, Any], status: int, error: str) -> None:
    reader, sent = scene.console.browser("dr-4", "reader"), len(scene.console.sent)
    answer = ask(reader, on("review", 4), told_of(scene, 4, truth(4), "dr-4", **change))
    assert (answer.status, json.loads(answer.body)["error"]) == (status, error)
    assert len(scene.console.sent) == sent


def test_a_mask_of_more_parts_than_a_mask_can_number_is_refused(scene: Scene) -> None:
    reader, dots = scene.console.browser("dr-4", "reader"), np.zeros_like(truth(4))
    dots[::12, ::12] = True
    answer = ask(reader, on("review", 4), told_of(scene, 4, dots, "dr-4"))
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "picture_unusable")


def test_an_account_without_a_code_of_the_programme_cannot_save(scene: Scene) -> None:
    reader = scene.console.browser("somebody-else", "reader")
    answer = ask(reader, on("review", 4), told_of(scene, 4, truth(4), "somebody-else"))
    assert json.loads(answer.body)["error"] == "code_unfit"


def test_what_kafka_did_not_take_is_sent_again_as_the_same_review(scene: Scene, tmp_path: Any) -> None:
    taken, away = list[Record](), [True]

    def send(record: Record) -> None:
        if away[0]:
            raise Transient("the broker is away")
        taken.append(record)

    made = list[Made]()

    def rows(connection: Connection) -> None:
        made.append(make_screening(connection, FolderStore(tmp_path / "objects"), OPEN, [clip(1, 6)]))

    with running(tmp_path, rows=rows, send=send, blind_share=0.0) as console:
        reader = console.browser("dr-1", "reader")
        told = told_of(Scene(console, made[0]), 4, truth(4), "dr-1")
        assert ask(reader, on("review", 4), told).status == 503
        assert json.loads(reader.get(f"/reading/{OPEN}/drawn").body) == []
        away[0] = False
        console.clock.forward(minutes=9)
        answer = json.loads(ask(reader, on("review", 4), told).body)
    (review,) = taken
    assert isinstance(review, FrameReviewed)
    assert answer["review"] == review.review_id


def test_a_blind_screening_sends_nothing_of_the_machine_before_the_readers_own_masks(tmp_path: Any) -> None:
    made = list[Made]()

    def rows(connection: Connection) -> None:
        store = FolderStore(tmp_path / "objects")
        made.append(make_screening(connection, store, BLIND, [clip(2)], findings=[lesion(clip(2), 3, 6)]))

    with running(tmp_path, rows=rows, blind_share=1.0) as console:
        reader = console.browser("dr-1", "reader")
        page = reader.get(f"/reading/{BLIND}").text
        left = json.loads(page.split('id="cine-data">')[1].split("</script>")[0])["blind"]
        assert len(left) == 2
        key = f"{clip(2).sequence_id}/000005"
        assert key in left
        of_machine = [
            reader.get(f"/reading/{BLIND}/outlines/{clip(2).sequence_id}?first=0&count=3"),
            reader.get(f"/reading/{BLIND}/machine"),
            ask(reader, on("click", 5, BLIND, 2), {"points": [[9, 9, 1]], "before": None}),
            ask(reader, on("ready", 5, BLIND, 2), {"at": [9, 9]}),
            ask(reader, on("carry", 5, BLIND, 2), {"runs": flat(truth(5))}),
        ]
        assert {answer.status for answer in of_machine} == {409}
        other = next(name for name in made[0].frames if name not in left)
        for name, status in ((other, 409), (left[0], 200), (left[1], 200)):
            index = int(name[-6:])
            told = {
                "drawing": mint_id(), "by": "dr-1", "sha256": made[0].frames[name].image_sha256,
                "runs": flat(truth(index)), "from": "machine",
            }  # fmt: skip
            assert reader.get(f"/reading/{BLIND}/machine").status == 409
            assert ask(reader, on("review", index, BLIND, 2), told).status == status
        assert reader.get(f"/reading/{BLIND}/machine").status == 200
        assert [(each.blind, each.verdict) for each in console.sent if isinstance(each, FrameReviewed)] == [
            (True, "drawn"), (True, "drawn"),
        ]  # fmt: skip
        assert console.browser("dr-2", "reader").get(f"/reading/{BLIND}/machine").status == 409
        assert console.browser("le-1", "lead").get(f"/reading/{BLIND}/machine").status == 200
