"""What a reader is sent of a screening's pictures: exactly the frames that were asked for, each with its own id."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import Connection, text

from sonovan.console.chunks import parts_of
from sonovan.console.opening import forget_erased
from sonovan.models.runs import labels_of
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from sonovan.storage.console.read import Read
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from tests.console.cine_scene import Clip, disc, lesion, make_screening, numbered
from tests.console.world import Browser, Running, running
from tests.stream_apps.catalog.scene import changes, erased

SHE = "0192f0c1-2345-7abc-8def-0123456789ab"
BEFORE = "0192f0c0-2345-7abc-8def-0123456789ab"
SWEEP = Clip("0192f0c1-2345-7abc-8def-000000000001", 12, poor=(3,))
DOPPLER = Clip("0192f0c1-2345-7abc-8def-000000000002", 2, rows=120, columns=200, coloured=True, spacing_mm=None)
EARLIER = Clip("0192f0c0-2345-7abc-8def-000000000003", 1)
OF_HER = f"/reading/{SHE}"


@dataclass
class Scene:
    """A console with one screening, and a reader's browser."""

    console: Running
    reader: Browser


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("reading")
    store = FolderStore(folder / "objects")

    def rows(connection: Connection) -> None:
        make_screening(connection, store, BEFORE, [EARLIER])
        lumps = [{"side": "left", "position": "10h", "nipple_distance_mm": 30.0}]
        make_screening(
            connection, store, SHE, [SWEEP, DOPPLER], findings=[lesion(SWEEP, 4, 8)], age_years=52,
            palpable_lump="left", lump_places=tuple(lumps),
        )  # fmt: skip

    with running(folder, rows=rows, blind_share=0.0) as console:
        yield Scene(console, console.browser("dr-1", "reader"))


def shown(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_page_has_what_she_said_and_every_sweep_and_nothing_that_the_machine_outlined(scene: Scene) -> None:
    answer = scene.reader.get(OF_HER)
    assert answer.status == 200
    told = answer.text
    assert told.index("What she said") < told.index("data-stage")
    assert "10 o&#39;clock" in told or "10 o'clock" in told
    found = json.loads(told.split('id="cine-data">')[1].split("</script>")[0])
    assert [sweep["id"] for sweep in found["sweeps"]] == [SWEEP.sequence_id, DOPPLER.sequence_id]
    first, second = found["sweeps"]
    assert first["frames"]["index"] == list(range(12))
    assert first["frames"]["reason"][3] == "no_contact"
    assert first["reasons"]["no_contact"]
    assert first["layouts"][0]["panels"][0]["column_mm"] == 0.1
    assert second["layouts"][0]["panels"][0]["column_mm"] is None
    assert (second["layouts"][0]["rows"], second["layouts"][0]["columns"]) == (120, 200)
    assert first["rate"] == pytest.approx(30, abs=0.1)
    assert not {"polygon", "mask", "malignant", "finding"} & {*first, *first["frames"], *found}


def test_many_frames_come_in_one_answer_each_with_its_own_id_and_pixels(scene: Scene) -> None:
    answer = scene.reader.get(f"{OF_HER}/pictures/{SWEEP.sequence_id}?first=2&count=5")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    parts = parts_of(answer.body)
    assert [header["frame"] for header, _ in parts] == [f"{SWEEP.sequence_id}/{index:06d}" for index in range(2, 7)]
    for header, data in parts:
        assert (header["kind"], header["quality"]) == ("image/jpeg", 85)
        assert np.abs(shown(data).astype(int) - numbered(header["index"])).mean() < 3


def test_the_machines_mask_carries_the_id_of_its_frame_and_is_exact(scene: Scene) -> None:
    answer = scene.reader.get(f"{OF_HER}/outlines/{SWEEP.sequence_id}?first=0&count=12")
    for index, (header, data) in enumerate(parts_of(answer.body)):
        assert (header["frame"], header["index"]) == (f"{SWEEP.sequence_id}/{index:06d}", index)
        runs = np.frombuffer(data, "<u2").reshape(-1, 4)
        assert np.array_equal(labels_of(runs, (240, 320)) > 0, disc(index))


def test_one_frame_comes_without_loss_and_says_which_it_is(scene: Scene) -> None:
    answer = scene.reader.get(f"{OF_HER}/picture/{SWEEP.sequence_id}/7")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["x-frame-id"] == f"{SWEEP.sequence_id}/000007"
    assert np.array_equal(shown(answer.body), numbered(7))
    colour = shown(scene.reader.get(f"{OF_HER}/picture/{DOPPLER.sequence_id}/1").body)[..., ::-1]
    grey = numbered(1, 120, 200)
    assert np.array_equal(colour, np.stack([grey, grey // 2, 255 - grey], axis=2))


def test_a_frame_with_less_speckle_is_made_on_request(scene: Scene) -> None:
    answer = scene.reader.get(f"{OF_HER}/picture/{SWEEP.sequence_id}/7?despeckled=1")
    assert answer.headers["x-frame-id"] == f"{SWEEP.sequence_id}/000007"
    assert shown(answer.body).shape == (240, 320)
    assert not np.array_equal(shown(answer.body), numbered(7))


def test_where_the_machine_saw_lesions_is_asked_for_apart(scene: Scene) -> None:
    (track,) = json.loads(scene.reader.get(f"{OF_HER}/machine").body)
    assert (track["sweep"], track["first"], track["key"], track["last"]) == (SWEEP.sequence_id, 4, 6, 8)
    assert track["place"] == "Left breast"


def test_the_earlier_visit_of_the_same_woman_is_offered(scene: Scene) -> None:
    found = json.loads(scene.reader.get(f"{OF_HER}/earlier").body)
    assert found["base"] == f"/reading/{BEFORE}"
    assert [sweep["id"] for sweep in found["sweeps"]] == [EARLIER.sequence_id]
    assert json.loads(scene.reader.get(f"/reading/{BEFORE}/earlier").body)["sweeps"] == []


def test_a_frame_that_was_replaced_or_is_gone_is_named_and_never_shown(scene: Scene) -> None:
    clip = Clip("0192f0c1-2345-7abc-8def-00000000000a", 3)
    other = "0192f0c2-2345-7abc-8def-0123456789ab"
    database = open_database(scene.console.console.settings.catalogue_url or "")
    with database.writing() as connection:
        made = make_screening(connection, scene.console.images, other, [clip], subject_key="b" * 64)
    frames = list(made.frames.values())
    path = scene.console.images.path(Bucket.FRAMES, frames[0].image_key)
    path.write_bytes(scene.console.images.path(Bucket.FRAMES, frames[1].image_key).read_bytes())
    scene.console.images.path(Bucket.FRAMES, frames[2].image_key).unlink()
    answer = scene.reader.get(f"/reading/{other}/pictures/{clip.sequence_id}?first=0&count=3")
    assert [(header.get("refused"), len(data) > 0) for header, data in parts_of(answer.body)] == [
        ("object_contradicts_record", False), (None, True), ("object_gone", False),
    ]  # fmt: skip
    assert scene.reader.get(f"/reading/{other}/picture/{clip.sequence_id}/0").status == 400
    assert scene.reader.get(f"/reading/{other}/picture/{clip.sequence_id}/2").status == 404
    with database.writing() as connection:
        connection.execute(text("UPDATE opening SET consent_ai = false WHERE screening_id = :her"), {"her": other})
    for path_ in (f"/reading/{other}", f"/reading/{other}/pictures/{clip.sequence_id}"):
        assert scene.reader.get(path_).status == 400
    database.close()


@pytest.mark.parametrize(
    "path",
    [
        f"/reading/{SHE}/pictures/0192f0c0-2345-7abc-8def-000000000009",
        f"/reading/{SHE}/picture/{SWEEP.sequence_id}/99",
        f"/reading/{SHE}/picture/{SWEEP.sequence_id}/-1",
        f"/reading/{SHE}/picture/..%2F..%2Fetc/1",
        f"/reading/{BEFORE}/picture/{SWEEP.sequence_id}/1",
        f"/reading/{BEFORE}/pictures/{SWEEP.sequence_id}?first=0&count=3",
    ],
)
def test_what_is_not_of_this_screening_is_not_sent(scene: Scene, path: str) -> None:
    answer = scene.reader.get(path)
    assert answer.status in (400, 404) or answer.body == b""


def test_who_sees_another_site_alone_and_who_does_not_read_get_nothing(scene: Scene) -> None:
    paths = (
        OF_HER,
        f"{OF_HER}/pictures/{SWEEP.sequence_id}",
        f"{OF_HER}/picture/{SWEEP.sequence_id}/1",
        f"{OF_HER}/machine",
    )
    elsewhere = scene.console.browser("dr-9", "reader", sites=["site-2"])
    engineer = scene.console.browser("en-1", "engineer")
    assert {elsewhere.get(path).status for path in paths} == {404}
    assert {engineer.get(path).status for path in paths} == {403}
    assert {scene.console.browser().get(path).status for path in paths} == {303}


def test_what_was_looked_at_is_kept_by_reader_and_sweep(scene: Scene) -> None:
    def looked(browser: Browser, seen: Any) -> Any:
        body = json.dumps({"seen": seen}).encode()
        headers = {"Content-Type": "application/json", "X-Console-Token": browser.token}
        return browser.ask("POST", f"{OF_HER}/looked", body, headers)

    reader = scene.console.browser("dr-2", "reader")
    assert json.loads(looked(reader, {SWEEP.sequence_id: [[0, 2]]}).body)[SWEEP.sequence_id] == pytest.approx(0.25)
    shares = json.loads(looked(reader, {SWEEP.sequence_id: [[2, 5], [90, 99]], DOPPLER.sequence_id: [[0, 0]]}).body)
    assert shares == {SWEEP.sequence_id: pytest.approx(0.5), DOPPLER.sequence_id: pytest.approx(0.5)}
    other = json.loads(looked(scene.console.browser("dr-3", "reader"), {}).body)
    assert set(other.values()) == {0.0}
    assert looked(reader, {EARLIER.sequence_id: [[0, 0]]}).status == 404
    assert looked(reader, {SWEEP.sequence_id: [[3, 1]]}).status == 400
    assert looked(reader, {SWEEP.sequence_id: "all"}).status == 400


def test_whoever_opens_a_womans_pictures_is_noted_once_for_all_of_them(scene: Scene) -> None:
    reader = scene.console.browser("dr-4", "reader")
    reader.get(OF_HER)
    for index in range(4):
        reader.get(f"{OF_HER}/picture/{SWEEP.sequence_id}/{index}")
    noted = [(act["what"], act["about"]["screening_id"]) for act in scene.console.acts() if act["by"] == "dr-4"]
    assert noted == [("reading.opened", SHE), ("pictures.seen", SHE)]


def test_nothing_of_what_readers_did_is_left_of_an_erased_screening(scene: Scene) -> None:
    read = Read(scene.console.console.database)
    read.look("dr-1", BEFORE, {EARLIER.sequence_id: [(0, 0)]}, 1)
    read.look("dr-1", SHE, {SWEEP.sequence_id: [(0, 0)]}, 1)
    database = open_database(scene.console.console.settings.catalogue_url or "")
    with database.writing() as connection:
        write(connection, changes([erased(BEFORE)]))
    database.close()
    forget_erased(scene.console.console.catalogue, read)
    assert (read.looked("dr-1", BEFORE), read.looked("dr-1", SHE) != {}) == ({}, True)
