"""`sonovan audit` as somebody types it."""

import json
from pathlib import Path

from sonovan.noting import note
from tests.command import sonovan


def noted(state: Path, number: int) -> str:
    return note(
        state, "message.skipped", {"topic": "frame.captured.v1", "offset": number}, "it ends segment", by="op-7"
    )


def test_verify_says_that_every_line_holds_and_names_the_last_hash(tmp_path: Path) -> None:
    last = [noted(tmp_path, number) for number in range(3)][-1]
    done = sonovan("audit", "verify", "--state", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"3 lines hold, the last one is {last}\n")
    document = json.loads(sonovan("audit", "verify", "--json", "--noted", last, "--state", str(tmp_path)).stdout)
    assert (document["lines"], document["last"], document["broken"]) == (3, last, None)


def test_verify_names_the_first_line_that_was_changed_and_exits_with_3(tmp_path: Path) -> None:
    for number in range(3):
        noted(tmp_path, number)
    path = tmp_path / "audit" / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"offset":1', b'"offset":8'))
    done = sonovan("audit", "verify", "--state", str(tmp_path))
    assert done.returncode == 3
    assert "line 2 was changed; the 1 lines before it hold" in done.stdout


def test_show_gives_who_did_what_and_why(tmp_path: Path) -> None:
    noted(tmp_path, 4)
    note(tmp_path, "dataset.exported", {"screenings": 12}, by="op-9")
    assert (
        "op-7  message.skipped  offset=4 topic=frame.captured.v1  it ends segment"
        in sonovan("audit", "show", "--state", str(tmp_path)).stdout
    )
    (act,) = json.loads(
        sonovan("audit", "show", "--what", "dataset.exported", "--json", "--state", str(tmp_path)).stdout
    )
    assert (act["by"], act["about"], act["why"]) == ("op-9", {"screenings": 12}, None)
