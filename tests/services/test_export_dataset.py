"""`sonovan export dataset` with a real broker and a real store, and a catalogue in the state folder."""

import json
from pathlib import Path

import pytest

from sonovan.centre import Centre
from sonovan.contracts.erasures import ScreeningErased
from sonovan.contracts.topics import Topic
from sonovan.models.evaluation.index import read_folder
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from sonovan.storage.keys import REVIEWS, Bucket
from sonovan.storage.minio_store import MinioStore
from sonovan.transport.producer import BoundedProducer
from tests import command
from tests.command import Told
from tests.sonovan.dataset.scene import FIRST_DAY, Programme, ellipse
from tests.stream_apps.catalog.scene import changes

pytestmark = pytest.mark.services


def test_an_export_is_made_from_the_catalogue_and_again_from_its_manifest(centre: Centre, tmp_path: Path) -> None:
    programme = Programme(tmp_path)
    for woman in range(7):
        programme.screen(woman, frames=1)
    for screening in programme.screenings:
        programme.draw(screening, "op-7201", [ellipse()])
    frames, reviews = MinioStore(centre.store("segment")), MinioStore(centre.store("console"))
    for bucket in (Bucket.FRAMES, Bucket.MASKS):
        top = programme.store.path(bucket, "x").parent
        for path in (each for each in top.rglob("*") if each.is_file()):
            key = path.relative_to(top).as_posix()
            store = reviews if key.startswith(f"{REVIEWS}/") else frames
            store.put(bucket, key, path.read_bytes(), "application/octet-stream")
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"  # of its own: other tests fill the centre's
    database = open_database(url)
    database.prepare()
    with database.writing() as connection:
        write(connection, changes(programme.records))
    database.close()

    def exported(folder: str, *more: str) -> Told:
        words = ("export", "dataset", "--state", str(centre.path), "--json", "--out", str(tmp_path / folder / "vans"))
        return command.sonovan(*words, *more, environment={"SONOVAN_CATALOG_DATABASE_URL": url})

    first = exported("a", "--frames", "reviewed")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert (told["women"], told["pictures"], told["by"]) == (7, 7, {"readers": 7})
    assert len(read_folder(tmp_path / "a" / "vans")) == 7
    manifest = ("--manifest", str(tmp_path / "a" / "vans" / "manifest.json"))
    again = exported("b", *manifest)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["differences"] == []
    erased = ScreeningErased(
        screening_id=programme.screenings[0], because="she_asked", by="op-7201", erased_at=FIRST_DAY
    )
    with BoundedProducer(centre.kafka("console")) as producer:
        producer.send(Topic.SCREENING_ERASED, erased.screening_id.encode(), erased.encode()).result(30)
    later = exported("c", *manifest)
    assert later.returncode == 3, later.stderr
    document = json.loads(later.stdout)
    assert (document["women"], document["left_out"]) == (6, {"erased": 1})
    assert any("files are gone" in each for each in document["differences"])
