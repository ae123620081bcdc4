"""A data set for research: who is in it, what is true in it, that it comes again, and nobody's identity is in it."""

import csv
import hashlib
import json
import struct
from collections import Counter
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.errors import InvalidRecord, Transient
from sonovan.contracts.words import slip_number
from sonovan.dataset.anonymity import time_of
from sonovan.dataset.manifest import differences, read_manifest
from sonovan.dataset.pseudonyms import Pseudonyms
from sonovan.models.evaluation.index import read_folder, split_of
from sonovan.models.evaluation.measures import overlap
from sonovan.models.evaluation.pictures import read_pair
from sonovan.models.labels.coco import mask_of
from sonovan.storage.keys import Bucket
from tests.clinical.records import NOON
from tests.models.tiny_onnx import write_weights
from tests.sonovan.dataset.scene import FIRST_DAY, KEY, VAN, Programme, ellipse, tissue


@pytest.fixture
def programme(tmp_path: Path) -> Programme:
    """Eight women of two ages, one of them twice; on the first three two readers drew."""
    made = Programme(tmp_path)
    for woman in range(8):
        made.screen(woman, age=44 + woman % 2 * 10, site=1, day=woman)
    for place, screening in enumerate(made.screenings[:3]):
        made.draw(screening, "op-7", [ellipse(), ellipse() * (place > 0)])
        made.draw(screening, "op-9", [ellipse(66), ellipse() * 0])
    return made


def now_ms(programme: Programme) -> int:
    """Just after the broker appended the last record so far: in this scene one a second, from a noon on."""
    return round((NOON + timedelta(seconds=len(programme.records))).timestamp() * 1000) - 500


def pictures(folder: Path) -> list[dict[str, object]]:
    return pq.read_table(folder / "pictures.parquet").to_pylist()  # type: ignore[no-any-return]


def test_only_women_who_agreed_to_research_are_in_it(programme: Programme, tmp_path: Path) -> None:
    never = programme.screen(20, research=False)
    void, gone, silent, erased = (programme.screen(woman, day=3) for woman in (21, 22, 23, 24))
    programme.void(void)
    programme.withdraw(gone)
    programme.withdraw(silent, "ai")
    done = programme.exported(tmp_path / "set", erased=[erased])
    assert done.women == 8
    assert done.left_out == {"erased": 1, "no_consent": 1, "no_research_consent": 2, "void": 1}
    assert never not in "".join(str(each) for each in pictures(done.folder))


def test_her_last_word_counts_for_all_of_her_screenings(programme: Programme, tmp_path: Path) -> None:
    programme.screen(0, age=44, day=40)
    programme.screen(1, age=54, day=41, research=False)  # at her newest visit she was asked again, and said no
    programme.screen(2, age=44, day=-30, research=False)  # at an earlier one
    programme.withdraw(programme.screenings[0])  # the earlier of her two
    done = programme.exported(tmp_path / "set", suppress_share=0.0)
    names = Pseudonyms(KEY)
    women = {row["woman"] for row in pictures(done.folder)}
    assert not women & {names.woman(subject) for subject in programme.subjects[:2]}
    assert names.woman(programme.subjects[2]) in women
    assert done.left_out["no_research_consent"] == 5


def test_readers_consensus_is_the_mask_and_the_machines_is_marked(programme: Programme, tmp_path: Path) -> None:
    done = programme.exported(tmp_path / "set")
    rows = pictures(done.folder)
    assert done.by == {"machine": 10, "readers": 6}
    drawn = [row for row in rows if row["mask_by"] == "readers"]
    assert {len(row["readers"]) for row in drawn} == {2}  # type: ignore[arg-type]
    first = next(row for row in drawn if row["frame_number"] == 0)
    mask = cv2.imread(str(done.folder / str(first["mask"])), cv2.IMREAD_UNCHANGED) > 0
    assert overlap(mask, ellipse() > 0)[0] > 0.9
    assert first["machine_dice"] == pytest.approx(overlap(mask, ellipse(60) > 0)[0], abs=1e-4)
    second = next(row for row in drawn if row["frame_number"] == 1)
    assert (second["mask"], second["label"]) == (None, "normal")
    alone = next(row for row in rows if row["mask_by"] == "machine" and row["frame_number"] == 1)
    assert (alone["mask"], alone["label"], alone["machine_dice"]) == (None, None, None)


def test_of_reviews_the_blind_ones_count_and_others_where_there_are_none(programme: Programme, tmp_path: Path) -> None:
    programme.draw(programme.screenings[0], "op-5", [ellipse(20)], blind=False)
    programme.draw(programme.screenings[5], "op-5", [ellipse(20)], blind=False)
    rows = pictures(programme.exported(tmp_path / "set", frames="reviewed").folder)
    assert Counter(len(row["readers"]) for row in rows) == {2: 6, 1: 1}  # type: ignore[arg-type]


def test_pictures_that_no_reader_drew_on_may_be_left_out(programme: Programme, tmp_path: Path) -> None:
    done = programme.exported(tmp_path / "set", frames="reviewed", suppress_share=0.4)
    assert done.by == {"readers": done.pictures}
    assert done.left_out["picture_not_reviewed"] == 10
    assert done.left_out["screening_without_pictures"] == 5


def test_dates_are_those_that_were_shifted(tmp_path: Path) -> None:
    programme = Programme(tmp_path)
    for woman in range(8):
        programme.screen(woman, frames=1)
    done = programme.exported(tmp_path / "set", suppress_share=0.5)
    assert done.anonymous.rungs.time < 3
    names = Pseudonyms(KEY)
    expected = {
        names.woman(subject): time_of(names.shifted(FIRST_DAY.date(), subject), done.anonymous.rungs.time)
        for subject in programme.subjects
    }
    told = pq.read_table(done.folder / "visits.parquet").to_pylist()
    assert {row["woman"]: row["time"] for row in told}.items() <= expected.items()
    assert {row["time"] for row in told} != {time_of(FIRST_DAY.date(), done.anonymous.rungs.time)}


def test_pictures_come_as_they_were_stored_in_colour_too(programme: Programme, tmp_path: Path) -> None:
    programme.screen(1, age=54, day=1, channels=3, frames=1)
    done = programme.exported(tmp_path / "set")
    stored = {tissue(woman * 100 + index + 7 * woman).tobytes() for woman in range(8) for index in range(2)}
    grey = [cv2.imread(str(done.folder / str(row["image"])), cv2.IMREAD_UNCHANGED) for row in pictures(done.folder)]
    assert Counter(picture.ndim for picture in grey) == {2: 16, 3: 1}
    assert {picture.tobytes() for picture in grey if picture.ndim == 2} == stored


def test_a_network_is_measured_on_it(
    programme: Programme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SONOVAN_MODELS_PROVIDER", "cpu")
    done = programme.exported(tmp_path / "set")
    weights = write_weights(tmp_path / "weights")
    words = ["models", "evaluate", "--data", str(done.folder), "--weights-dir", str(weights), "--json"]
    assert run(build(), words) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["set"], told["n"], told["groups"]) == ("set", 6, 3)


def test_every_row_of_the_index_has_a_truth_and_no_woman_stands_in_two_splits(
    programme: Programme, tmp_path: Path
) -> None:
    done = programme.exported(tmp_path / "set")
    rows = read_folder(done.folder)
    assert len(rows) == 6
    assert {row.organ for row in rows} == {"breast"}
    assert {row.about["split"] for row in rows} == {split_of("set", row.group) for row in rows}
    assert sum(read_pair(row)[1].any() for row in rows) == 3
    splits: dict[object, set[object]] = {}
    for row in pictures(done.folder):
        splits.setdefault(row["woman"], set()).add(row["split"])
    assert all(len(each) == 1 for each in splits.values())


def test_coco_names_every_outline_and_who_drew_it(programme: Programme, tmp_path: Path) -> None:
    done = programme.exported(tmp_path / "set")
    document = json.loads((done.folder / "coco.json").read_text(encoding="utf-8"))
    assert len(document["images"]) == 16
    assert Counter(each["drawn_by"] for each in document["annotations"]) == {"readers": 3, "machine": 5}
    images = {each["id"]: each for each in document["images"]}
    for each in document["annotations"]:
        image = images[each["image_id"]]
        mask = mask_of(each["segmentation"], (image["height"], image["width"]))
        left, top, width, height = each["bbox"]
        assert mask[top : top + height, left : left + width].sum() == mask.sum() == each["area"]


def test_the_same_manifest_is_the_same_bytes_whatever_came_later(programme: Programme, tmp_path: Path) -> None:
    first = programme.exported(tmp_path / "a" / "set", until_ms=now_ms(programme))
    programme.screen(40, day=2)
    programme.draw(programme.screenings[4], "op-7", [ellipse()])
    again = programme.exported(tmp_path / "b" / "set", until_ms=first.manifest.asked["until_ms"])
    before = read_manifest(first.folder / "manifest.json")
    assert differences(before, again.manifest) == []
    for path in first.folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again.folder / path.relative_to(first.folder)).read_bytes()
    assert len(before.files) == sum(path.is_file() for path in first.folder.rglob("*")) - 1
    whole = programme.exported(tmp_path / "c" / "set")
    assert differences(before, whole.manifest) != []


def test_who_takes_her_consent_back_is_not_in_an_export_of_an_earlier_moment(
    programme: Programme, tmp_path: Path
) -> None:
    first = programme.exported(tmp_path / "a" / "set", until_ms=now_ms(programme))
    programme.withdraw(programme.screenings[0])
    again = programme.exported(tmp_path / "b" / "set", until_ms=first.manifest.asked["until_ms"])
    assert (first.women, again.women) == (8, 7)
    told = " ".join(differences(first.manifest, again.manifest))
    assert "files are gone" in told


def chunks(data: bytes) -> set[str]:
    """The kinds of the chunks of a PNG."""
    found, place = set(), 8
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        found.add(kind.decode())
        place += 12 + length
    return found


def hunted_in(programme: Programme, folder: Path) -> list[tuple[str, str]]:
    """Where subject keys, slips, ids, vans, sites, readers, true dates or the key stand: in bytes, and in what is
    packed.
    """
    moments = [FIRST_DAY + timedelta(days=day) for day in (*range(8), 90)]
    sweeps = {name.partition("/")[0] for name in programme.frames}
    ids = {*programme.screenings, *sweeps}
    words = {
        *programme.subjects, *ids, *(each.replace("-", "") for each in ids), VAN, "site-1", "op-7", "op-9", KEY,
        *(frame.image_key for frame in programme.frames.values()),
        *(slip_number("A", woman + 1) for woman in range(8)),
        *(moment.strftime(form) for moment in moments for form in ("%Y-%m-%d", "%Y%m%d")),
    }  # fmt: skip
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        texts = [path.read_bytes(), path.relative_to(folder).as_posix().encode()]
        if path.suffix == ".parquet":
            texts.append(repr(pq.read_table(path).to_pylist()).encode())
            texts.append(repr(pq.read_metadata(path).to_dict()).encode())
        found += [(path.name, word) for word in words for text in texts if word.encode() in text]
        if path.suffix == ".png" and chunks(texts[0]) != {"IHDR", "IDAT", "IEND"}:
            found.append((path.name, "more than pixels"))
    return found


def test_nothing_of_who_she_is_stands_in_any_byte(programme: Programme, tmp_path: Path) -> None:
    programme.screen(0, age=44, day=90)
    done = programme.exported(tmp_path / "set")
    assert sum(each.is_file() for each in done.folder.rglob("*")) > 30
    assert hunted_in(programme, done.folder) == []
    table = repr(pictures(done.folder))
    assert hashlib.sha256(programme.subjects[0].encode()).hexdigest()[:12] not in table  # no hash that lacks a key


def test_the_hunt_finds_what_is_planted(programme: Programme, tmp_path: Path) -> None:
    done = programme.exported(tmp_path / "set")
    pq.write_table(pa.table({"a": programme.subjects[:1] * 50}), done.folder / "planted.parquet", compression="zstd")
    (done.folder / "notes.txt").write_text(f"seen on {FIRST_DAY:%Y-%m-%d}", encoding="utf-8")
    image = next((done.folder / "images").iterdir())
    data, text = image.read_bytes(), b"tEXtComment\0 she"
    image.write_bytes(data[:33] + struct.pack(">I", len(text) - 4) + text + bytes(4) + data[33:])
    assert {name for name, _ in hunted_in(programme, done.folder)} == {"planted.parquet", "notes.txt", image.name}


def test_too_few_women_are_no_data_set(programme: Programme, tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord, match="8 women may be in it, and no 9"):
        programme.exported(tmp_path / "set", k=9)
    assert not (tmp_path / "set").exists()
    assert not list(tmp_path.glob(".set*"))


def test_a_frame_that_is_not_stored_any_more_is_counted_and_one_that_was_replaced_stops(
    programme: Programme, tmp_path: Path
) -> None:
    names = sorted(programme.frames)
    programme.store.path(Bucket.FRAMES, programme.frames[names[0]].image_key).unlink()
    done = programme.exported(tmp_path / "set")
    assert done.left_out == {"picture_not_stored": 1}
    replaced = programme.store.path(Bucket.FRAMES, programme.frames[names[2]].image_key)
    replaced.chmod(0o600)
    replaced.write_bytes(b"other")
    with pytest.raises((InvalidRecord, Transient)):
        programme.exported(tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_the_datasheet_counts_what_the_tables_hold(programme: Programme, tmp_path: Path) -> None:
    programme.screen(30, research=False)
    done = programme.exported(tmp_path / "set")
    sheet = (done.folder / "datasheet.md").read_text(encoding="utf-8")
    assert "16 pictures of 8 women at 8 visits" in sheet
    assert "6 pictures by readers" in sheet
    assert "left out: 1 screenings without consent to research" in sheet
    with (done.folder / "index.csv").open(newline="", encoding="utf-8") as file:
        assert {row["group"] for row in csv.DictReader(file)} <= {str(row["woman"]) for row in pictures(done.folder)}
    assert np.isfinite(done.anonymous.smallest)
