"""She asked that what is kept of her be deleted: it is hunted for in every store, and somebody else's stays."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.topics import STAGES, Topic, Writer
from sonovan.storage.audit import Audit
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.tables import WRITTEN
from sonovan.storage.keys import Bucket
from sonovan.stream_apps.catalog.reading import READS
from sonovan.stream_apps.catalog.stage import sqlite_url
from tests.journeys.account import assert_committed, wait_for
from tests.journeys.hunt import hits
from tests.journeys.van import Screening, Van, sweep
from tests.journeys.world import World

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(600)]

SOON = {"SONOVAN_ASSESS_END_EVERY_S": "1", "SONOVAN_ASSESS_TICK_EVERY_S": "1"}


@pytest.fixture
def catalogue(world: World) -> Iterator[Database]:
    opened = open_database(sqlite_url(world.centre.state.apps / "catalog" / "catalog.sqlite"))
    yield opened
    opened.close()


def rows_of(catalogue: Database, screening_id: str) -> dict[str, int]:
    """Table → how many rows of a screening, of those that have any."""
    with catalogue.writing() as connection:
        counts = {
            table.name: int(
                connection.execute(
                    text(f"SELECT count(*) FROM {table.name} WHERE screening_id = :id"), {"id": screening_id}
                ).scalar_one()
            )
            for table in WRITTEN
            if "screening_id" in table.columns
        }
    return {name: count for name, count in counts.items() if count}


def stored(world: World, screening: Screening) -> list[str]:
    """What lies in the object store under one of the screening's ids; MinIO keeps an object in a folder of its name."""
    ids = (screening.screening_id, *screening.ids.sequence_ids)
    root = world.centre.state.minio
    folders = (
        Path(folder) for folder, _, names in os.walk(root) if "xl.meta" in names
    )  # what ends meanwhile is left out
    places = (folder.relative_to(root).as_posix() for folder in folders)
    return sorted(place for place in places if any(each in place for each in ids) and ".minio.sys" not in place)


def test_nothing_of_an_erased_screening_is_left_in_any_store_and_another_one_is_whole(
    world: World, catalogue: Database, tmp_path: Path
) -> None:
    world.work(also={"assess": SOON}, stages=STAGES)
    van = Van(world)
    hers, anothers = van.screening(sweep()), van.screening(sweep())
    van.send([*hers.control, *hers.frames[:-1], *anothers.control, *anothers.frames])
    wait_for(world, anothers, "complete")
    world.until(lambda: rows_of(catalogue, hers.screening_id).get("revision"), "the catalogue has her revision")
    assert_committed(world)
    assert_committed(world, {Writer.CATALOG: READS})  # only now no alert of the other one is under way any more
    others, place = rows_of(catalogue, anothers.screening_id), stored(world, anothers)
    assert stored(world, hers)

    refused = world.command("erase", hers.screening_id, "--by", "Dr Wang", "--yes")
    assert "'Dr Wang' is no code such as op-7" in refused.communicate(timeout=60)[1]
    told = world.sonovan("erase", hers.screening_id, "--because", "she_asked", "--by", "op-7", "--yes")
    assert "1 erased: no row, frame, mask or report of them is left" in told

    # A frame that was under way comes late: its object goes again, and it is rejected by name.
    van.send(hers.frames[-1:])
    world.until(lambda: world.log("assess").count("screening_ended"), "the late frame is rejected")
    world.until(lambda: not stored(world, hers), "nothing of hers is in the object store")
    world.until(lambda: set(rows_of(catalogue, hers.screening_id)) == {"erased"}, "nor in the catalogue")
    assert rows_of(catalogue, anothers.screening_id) == others
    assert stored(world, anothers) == place
    packing = world.command("pack", "--quiet-days", "0", "--json")  # deletes what lay alone after a minute

    # Rows of `assess` and messages of `alert`: workers that start anew find nothing to go on with.
    world.stop("alert")
    outbox = hits(world.centre.state.apps / "alert", [hers.screening_id])
    assert not [file for files in outbox.values() for file in files if file.endswith("outbox.sqlite-wal")]
    alerts = world.records(Topic.LESION_ALERTED, LesionAlerted, hers.screening_id)
    world.start("alert")
    assert world.records(Topic.LESION_ALERTED, LesionAlerted, hers.screening_id) == alerts

    again = world.sonovan("erase", hers.screening_id, "--by", "op-7", "--yes")
    assert "1 erased" in again
    notes = [act["about"] for act in Audit(world.centre.path).acts() if act["what"] == "screening.erased"]
    assert [note["screening"] for note in notes] == [hers.screening_id] * 2
    assert world.sonovan("audit", "verify", "--json")["broken"] is None
    assert json.dumps(notes).count("she_asked") == 2

    done = json.loads(packing.communicate(timeout=150)[0])
    assert done["left"] == []
    packs = stored(world, anothers)
    assert len(packs) < len(place)
    assert all("/pack-0000" in each or str(Bucket.REPORTS) in each for each in packs)
    resolved = tmp_path / "frame"
    address = f"sonovan://frames/{anothers.ids.sequence_ids[0]}/000003"
    world.sonovan("catalog", "resolve", address, "--out", str(resolved))
    assert resolved.stat().st_size > 0
    world.sonovan("erase", anothers.screening_id, "--because", "she_asked", "--by", "op-7", "--yes")
    assert stored(world, anothers) == []


def test_what_a_site_on_hold_has_and_what_nobody_knows_is_not_erased_and_what_is_over_is(
    world: World, catalogue: Database
) -> None:
    world.work(stages=STAGES)
    van = Van(world)
    screening = van.screening(sweep(4))
    van.send(screening.items)
    wait_for(world, screening, "complete")
    query = f"SELECT screening_id FROM screenings WHERE screening_id = '{screening.screening_id}'"
    world.until(lambda: world.sonovan("query", query, "--json"), "the catalogue knows it")
    world.sonovan("catalog", "hold", "site-1", "--by", "op-1", "--because", "litigation")
    try:
        held = world.command("erase", screening.screening_id, "--by", "op-7", "--yes")
        assert "is of a site on legal hold" in held.communicate(timeout=60)[1]
        assert held.returncode == 2
    finally:
        world.sonovan("catalog", "hold", "site-1", "--by", "op-1", "--release")
    unknown = world.command("erase", van.screening(sweep(4)).screening_id, "--by", "op-7", "--yes")
    assert "the catalogue knows nothing of" in unknown.communicate(timeout=60)[1]

    world.sonovan("catalog", "hold", "site-1", "--by", "op-1", "--days", "3650")
    with catalogue.writing() as connection:  # as if the centre had had it for eleven years
        old = {"id": screening.screening_id, "ms": 11 * 365 * 24 * 60 * 60 * 1000}
        connection.execute(text("UPDATE opening SET at_ms = at_ms - :ms WHERE screening_id = :id"), old)
    assert world.sonovan("catalog", "expire", "--json")["erased"] == []
    assert stored(world, screening)
    assert world.sonovan("catalog", "expire", "--do", "--by", "op-7", "--json")["erased"] == [screening.screening_id]
    world.until(lambda: not stored(world, screening), "what was under way when it was erased is gone as well")
    assert set(rows_of(catalogue, screening.screening_id)) == {"erased"}
    told = [act for act in Audit(world.centre.path).acts() if act["about"].get("screening") == screening.screening_id]
    assert [(act["by"], act["about"]["because"]) for act in told] == [("op-7", "retention_over")]
