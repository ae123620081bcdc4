"""The audit's chain: what was changed, taken out, put in, moved or cut off is named by its line."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sonovan.contracts.errors import Transient
from sonovan.storage.audit import FOLDER, MARK, START, Act, Audit

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Lines = list[bytes]


def act(number: int) -> Act:
    return Act("skip", "op-7", NOON, {"topic": "frame.captured.v1", "offset": number}, f"it ends segment, 第{number}次")


def audit_of(folder: Path, lines: int) -> Audit:
    audit = Audit(folder)
    for number in range(lines):
        audit.add(act(number))
    return audit


def test_an_audit_holds_and_keeps_who_what_when_and_why(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, 3)
    verdict = audit.verify()
    acts = list(audit.acts())
    assert (verdict.lines, verdict.broken, verdict.last) == (3, None, acts[-1]["sha256"])
    assert [each["previous"] for each in acts] == [START, *[each["sha256"] for each in acts[:-1]]]
    assert acts[1]["about"] == {"topic": "frame.captured.v1", "offset": 1}
    assert (acts[1]["by"], acts[1]["at"], acts[1]["why"]) == ("op-7", NOON.isoformat(), "it ends segment, 第1次")
    assert audit.path.stat().st_mode & 0o777 == 0o600
    assert audit.path.parent.stat().st_mode & 0o777 == 0o700


def test_an_audit_of_nothing_holds(tmp_path: Path) -> None:
    assert Audit(tmp_path).verify().broken is None


def _changed(lines: Lines) -> Lines:
    return [*lines[:1], lines[1].replace(b"op-7", b"op-8"), *lines[2:]]


def _sealed_anew(lines: Lines) -> Lines:
    """The second line changed by somebody who knows how its hash is made; the third still names the old hash."""
    import hashlib

    fields = json.loads(lines[1])
    fields.pop("sha256")
    fields["by"] = "op-8"

    def canonical(value: object) -> bytes:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    digest = hashlib.sha256(canonical(fields)).hexdigest()
    return [lines[0], canonical({**fields, "sha256": digest}) + b"\n", *lines[2:]]


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (_changed, "line 2 was changed"),
        (_sealed_anew, "line 3 does not follow"),
        (lambda lines: [lines[0], *lines[2:]], "line 2 does not follow"),
        (lambda lines: lines[1:], "line 1 does not follow"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1 does not follow"),
        (lambda lines: [lines[0], lines[0], *lines[1:]], "line 2 does not follow"),
        (lambda lines: [lines[0], b"nothing\n", *lines[1:]], "line 2 is cut off, or is no line"),
        (lambda lines: [lines[0][:-9] + b"\n", *lines[1:]], "line 1 is cut off, or is no line"),
        (lambda lines: lines[:-1], "line 4 is gone"),
        (lambda lines: lines[:2], "line 3 is gone"),
        (lambda lines: [], "line 1 is gone"),
        (lambda lines: [*lines[:-1], lines[-1][:-1]], "line 4 was changed"),
        (lambda lines: [*lines[:-1], lines[-1][:-20]], "line 4 is cut off"),
    ],
)
def test_tampering_is_named_by_its_line(tmp_path: Path, tamper: Callable[[Lines], Lines], named: str) -> None:
    audit = audit_of(tmp_path, 4)
    audit.path.write_bytes(b"".join(tamper(audit.path.read_bytes().splitlines(keepends=True))))
    found = audit.verify().broken
    assert found is not None
    assert found.startswith(named)


def test_nothing_is_added_where_the_end_was_tampered_with(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, 3)
    audit.path.write_bytes(b"".join(audit.path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(Transient, match="sonovan audit verify"):
        audit.add(act(9))


def test_a_mark_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    audit = audit_of(tmp_path, 3)
    mark = tmp_path / FOLDER / MARK
    mark.write_text(json.dumps({"lines": 2, "sha256": START}))
    assert "was changed" in str(audit.verify().broken)
    mark.write_text("{")
    assert "was changed" in str(audit.verify().broken)
    mark.unlink()
    assert "is gone" in str(audit.verify().broken)


@pytest.mark.parametrize("cut", ["no mark yet", "mark of the line before", "half a line"])
def test_a_crash_while_a_line_is_added_breaks_nothing(tmp_path: Path, cut: str) -> None:
    audit = audit_of(tmp_path, 1 if cut == "no mark yet" else 2)
    mark, lines = tmp_path / FOLDER / MARK, audit.path.read_bytes()
    before = mark.read_bytes()
    audit.add(act(2))
    if cut == "half a line":
        mark.write_bytes(before)
        audit.path.write_bytes(lines + b'{"about":{"offs')
    elif cut == "mark of the line before":
        mark.write_bytes(before)
    else:
        mark.unlink()
        audit.path.write_bytes(lines)
    assert audit.verify().broken is None
    audit.add(act(3))
    assert audit.verify().broken is None
    assert list(audit.acts())[-1]["about"]["offset"] == 3


def test_a_chain_made_anew_lacks_the_hash_that_was_noted_elsewhere(tmp_path: Path) -> None:
    noted = audit_of(tmp_path / "a", 3).verify().last
    audit = audit_of(tmp_path / "a", 1)
    assert audit.verify(noted).broken is None
    assert audit_of(tmp_path / "b", 4).verify("f" * 64).broken == "no line has the hash that was noted"


def test_many_that_add_at_once_make_one_chain(tmp_path: Path) -> None:
    threads = [threading.Thread(target=audit_of, args=(tmp_path, 5)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = Audit(tmp_path).verify()
    assert (verdict.lines, verdict.broken) == (20, None)


def test_a_disk_that_takes_no_line_stops_what_was_to_be_done(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder belongs")
    with pytest.raises(Transient, match="nothing is done without a note"):
        Audit(tmp_path).add(act(0))
