"""Objects that are damaged, discarded, sent again or read in vain: nothing is lost of them, and the lights stay red."""

import errno
from pathlib import Path

import pytest
from pydicom import dcmread

from sonovan.contracts.errors import Fatal
from sonovan.producers.gateway import composing
from sonovan.producers.gateway.intake import COMPOSED, QUARANTINED, TRAY, Assigned
from sonovan.producers.gateway.standing import arriving, woman_state
from sonovan.producers.lights import she_may_leave
from sonovan.producers.sources import Source
from tests.producers.gateway.vans import SLIP, Running, running, send, study


def test_an_object_whose_file_was_changed_waits_and_the_others_go_on(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        send(van.port, study(tmp_path / "a.dcm"), study(tmp_path / "b.dcm", seed=9))
        assert van.fates() == [(TRAY, "unmatched")] * 2
        van.expect()
        (first,) = [path for path in (tmp_path / "van" / "objects").iterdir() if _is_of(van, 1, path)]
        sealed = bytearray(first.read_bytes())
        sealed[-40] ^= 1
        first.write_bytes(sealed)
        for number in (1, 2):
            van.desk.intake.assign(number, Assigned(SLIP, "registered_later"))
        assert van.fates() == [(QUARANTINED, "object_damaged"), (COMPOSED, None)]
        assert first.exists()
        kept = [van.desk.intake.has(_uid(tmp_path / name)) for name in ("a.dcm", "b.dcm")]
        assert kept == [False, True], "a scanner that is told that it is kept may delete it"
        assert send(van.port, tmp_path / "a.dcm") == [0x0000], "as the tray advises"
        assert van.fates() == [(COMPOSED, None)] * 2
        assert not first.exists()
        assert van.spool.screenings()[0].frames == 4


def test_an_object_whose_file_went_is_not_committed_and_is_kept_when_it_comes_again(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        path = study(tmp_path / "a.dcm")
        assert send(van.port, path) == [0x0000]
        assert van.fates() == [(TRAY, "unmatched")]
        (file,) = (tmp_path / "van" / "objects").iterdir()
        file.unlink()
        assert not van.desk.intake.has(_uid(path))
        van.expect()
        assert send(van.port, path) == [0x0000]
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.screenings()[0].frames == 2


def test_what_the_machine_lacks_for_a_while_puts_no_object_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "_AFTER_TROUBLE_S", 0.01)
    lacking = [OSError(errno.EMFILE, "Too many open files"), MemoryError()]

    def clean(source: Source) -> Source:
        if lacking:
            raise lacking.pop()
        return source

    with running(tmp_path / "van", clean=clean) as van:
        van.expect()
        assert send(van.port, study(tmp_path / "a.dcm")) == [0x0000]
        assert van.fates() == [(COMPOSED, None)]
    assert [each for each in van.told if "cannot be composed now" in each] == [
        f"object 1 cannot be composed now ({why}); trying again" for why in ("MemoryError", "OSError")
    ]


def test_an_object_that_ended_in_a_defect_is_tried_again_at_the_next_start(tmp_path: Path) -> None:
    broken = [True]

    def clean(source: Source) -> Source:
        if broken:
            raise ZeroDivisionError
        return source

    with running(tmp_path / "van", clean=clean) as van:
        van.expect()
        assert send(van.port, study(tmp_path / "a.dcm")) == [0x0000]
        assert van.fates() == [(QUARANTINED, "object_defect")]
        broken.clear()
        van.desk.intake.try_defects_again()
        assert van.fates() == [(COMPOSED, None)]


def test_an_object_that_was_discarded_and_comes_again_is_kept_again(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        path = study(tmp_path / "a.dcm")
        assert send(van.port, path) == [0x0000]
        assert van.fates() == [(TRAY, "unmatched")]
        van.desk.intake.discard(1, "duplicate")
        van.expect()
        assert send(van.port, path) == [0x0000], "what is acknowledged is here"
        assert van.fates() == [(COMPOSED, None)]
        assert van.spool.screenings()[0].frames == 2


def test_an_object_between_its_folders_keeps_her_light_red(tmp_path: Path) -> None:
    with running(tmp_path / "van") as van:
        entry = van.expect()
        assert arriving(tmp_path / "van", van.desk).receiving == 0
        (van.desk.intake.folder / "b0b").touch()  # moved here, and its row is not committed yet
        assert arriving(tmp_path / "van", van.desk).receiving == 1
        light = she_may_leave(woman_state(tmp_path / "van", van.desk, van.spool, entry))
        assert "objects_receiving" in {each.code for each in light.reasons}


def test_an_object_on_which_reading_ends_in_a_defect_waits_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def clean(source: Source) -> Source:
        if source.frame_count == 5:
            raise ZeroDivisionError("of Li^Guihua")
        return source

    with running(tmp_path / "van", clean=clean) as van:
        van.expect()
        assert send(van.port, study(tmp_path / "a.dcm", 5), study(tmp_path / "b.dcm", 2, seed=9)) == [0x0000] * 2
        assert van.fates() == [(QUARANTINED, "object_defect"), (COMPOSED, None)]
        assert any(van.desk.intake.read(1)), "its bytes are kept"
    assert "object 1 ended in ZeroDivisionError at clean" in caplog.text
    assert "Guihua" not in caplog.text + "".join(van.told), "what an error says may be what the object says"


def _is_of(van: Running, number: int, path: Path) -> bool:
    """Whether this file holds that object."""
    whole = path.read_bytes()
    path.unlink()
    try:
        return not any(van.desk.intake.read(number))
    except Fatal:
        return True
    finally:
        path.write_bytes(whole)


def _uid(path: Path) -> str:
    return str(dcmread(path).SOPInstanceUID)
