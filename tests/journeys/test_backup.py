"""A backup while a screening is open, restored elsewhere: nothing is lost since the mark, and the screening goes on."""

from pathlib import Path

import pytest

from sonovan.centre import attach, down, up
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import Topic
from sonovan.contracts.tracing import capture_of, step_in
from sonovan.deploy import services
from sonovan.storage.keys import Bucket
from tests import command
from tests.journeys.van import Van, sweep
from tests.journeys.world import World

pytestmark = pytest.mark.services

FRAMES = 8
STAGES = ("segment", "assess")


def segmented(world: World, screening_id: str) -> dict[str, FrameSegmented]:
    return {each.frame_id: each for each in world.records(Topic.FRAME_SEGMENTED, FrameSegmented, screening_id)}


def test_a_screening_that_was_open_at_the_mark_is_finished_by_the_restored_centre(world: World, tmp_path: Path) -> None:
    world.work(stages=STAGES)
    van = Van(world)
    screening = van.screening(sweep(FRAMES))
    early, late = screening.frames[: FRAMES // 2], screening.frames[FRAMES // 2 :]
    van.send([screening.control[0], *early])
    world.until(lambda: len(segmented(world, screening.screening_id)) == len(early), "half of it is segmented")
    before = {row.name: row.state for row in services.status(world.centre.state)}

    made = world.sonovan("backup", str(tmp_path / "backups"), "--json")
    assert {row.name: row.state for row in services.status(world.centre.state)} == before  # all of it runs again
    van.send([*late, *screening.control[1:]])  # after the mark: the backup knows nothing of them
    world.until(lambda: len(segmented(world, screening.screening_id)) == FRAMES, "the rest came after the mark")

    path = tmp_path / "state"
    assert command.sonovan("restore", made["folder"], "--state", str(path)).returncode == 0
    restored = None
    try:
        up(path, apps=STAGES)
        restored = World(attach(path))
        kept = segmented(restored, screening.screening_id)
        assert kept.keys() == {item.item_id for item in early}
        for each in kept.values():
            assert restored.store.exists(Bucket.FRAMES, each.image_key)
        van.kafka = restored.centre.kafka(f"van-{van.van_id}")  # its account came with the backup
        van.send(screening.items)  # `van spool resend`: what the centre has it takes for the same

        def complete() -> bool:
            told = restored.records(Topic.SCREENING_ASSESSED, ScreeningAssessed, screening.screening_id)
            return any(each.status == "complete" for each in told)

        restored.until(complete, "the screening that was open is complete")
        trace = capture_of(screening.screening_id, "").trace_id  # from the van's frames to the report, over the restore
        for topic in (Topic.FRAME_SEGMENTED, Topic.SCREENING_ASSESSED):
            mine = [each for each in restored.messages(topic) if each.key == screening.screening_id.encode()]
            steps = [step_in(each.headers.items()) for each in mine]
            assert {step.trace_id for step in steps if step is not None} == {trace}
        found = segmented(restored, screening.screening_id)
        assert found.keys() == screening.frame_ids
        assert {key: found[key].image_sha256 for key in kept} == {key: kept[key].image_sha256 for key in kept}
    finally:
        if restored is not None:
            restored.close()
        down(path)
