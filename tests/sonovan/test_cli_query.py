"""`sonovan query` and `sonovan catalog` on a catalogue in a file: a table, CSV, JSON, Parquet, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.demo import QUESTIONS
from sonovan.storage.audit import Audit
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import SCREENING
from tests.stream_apps.catalog.scene import changes


@pytest.fixture
def state(tmp_path: Path) -> list[str]:
    """The option of a state folder whose catalogue holds the whole scene."""
    path = tmp_path / "state"
    (path / "apps" / "catalog").mkdir(parents=True)
    database = open_database(f"sqlite:///{path / 'apps' / 'catalog' / 'catalog.sqlite'}")
    database.prepare()
    with database.writing() as connection:
        write(connection, changes())
    database.close()
    return ["--state", str(path)]


QUERY = "SELECT organ, laterality, malignant, ti_rads FROM findings ORDER BY organ"


def test_a_table_csv_and_json_say_the_same(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["query", QUERY, *state]) == 0
    table = capsys.readouterr().out
    assert table.splitlines()[0].split() == ["organ", "laterality", "malignant", "ti_rads"]
    assert table.splitlines()[1].split() == ["breast", "left", "0.7", "-"]
    assert run(build(), ["query", QUERY, "--csv", *state]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == {"organ": "breast", "laterality": "left", "malignant": "0.7", "ti_rads": ""}
    assert run(build(), ["query", QUERY, "--json", *state]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0] == {"organ": "breast", "laterality": "left", "malignant": 0.7, "ti_rads": None}
    assert len(found) == 2


def test_a_parquet_file_has_names_kinds_and_times(state: list[str], tmp_path: Path) -> None:
    file = tmp_path / "screenings.parquet"
    query = "SELECT screening_id, opened_at, findings, suspicion FROM screenings"
    assert run(build(), ["query", query, "--parquet", str(file), *state]) == 0
    read = pq.read_table(file)
    assert read.column("screening_id").to_pylist() == [SCREENING]
    assert str(read.schema.field("opened_at").type).startswith("timestamp")
    assert read.column("findings").to_pylist() == [2]


def test_more_rows_than_may_be_given_end_with_3_and_a_wrong_statement_with_2(
    state: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["query", "SELECT frame_index FROM frames", "--rows", "2", "--csv", *state]) == 3
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "only the first 2 rows" in err
    for statement in ("DELETE FROM screening", "SELECT subject_key FROM opening"):
        assert run(build(), ["query", statement, *state]) == 2
        assert "refuse" in capsys.readouterr().err
    assert run(build(), ["query", QUERY, "--csv", "--json", *state]) == 2


def test_what_the_demo_asks_is_answered(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for question in QUESTIONS:
        assert run(build(), ["query", question, *state]) == 0
        assert len(capsys.readouterr().out.splitlines()) > 1


def test_no_catalogue_yet_is_not_available(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["query", "SELECT 1", "--state", str(tmp_path)]) == 4
    assert "not there yet" in capsys.readouterr().err


def test_a_site_is_held_and_released_by_a_command(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["catalog", "hold", "site-7", "--by", "op-7", *state]) == 0
    assert "litigation" in capsys.readouterr().out
    assert run(build(), ["catalog", "hold", "site-7", "--by", "op-7", "--release", *state]) == 0
    assert "no site is held" in capsys.readouterr().out
    assert run(build(), ["catalog", "hold", "Wang Xiaomei", "--by", "op-7", *state]) == 2


def test_a_file_needs_no_account_for_reading(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build(), ["catalog", "reader", *state]) == 2
    assert "needs no account" in capsys.readouterr().err


def test_who_asks_what_and_fetches_which_picture_is_noted_before_it_is_done(
    state: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["query", QUERY, *state]) == 0
    assert run(build(), ["query", "DELETE FROM screening", *state]) == 2
    assert run(build(), ["query", "SELECT 1 -- " + "x" * 100_000, "--csv", *state]) == 0
    address = "sonovan://frames/0192f0c1-2345-7abc-8def-000000000009/000012"
    for asked in (address, "sonovan://frames/Wang Xiaomei"):
        run(build(), ["catalog", "resolve", asked, "--out", str(tmp_path / "frame"), *state])
    acts = list(Audit(Path(state[1])).acts())
    assert [act["what"] for act in acts] == ["catalog.asked"] * 3 + ["catalog.resolved"]
    assert [act["about"]["sql"] for act in acts[:2]] == [QUERY, "DELETE FROM screening"]
    assert len(acts[2]["about"]["sql"]) == 4000
    assert acts[3]["about"] == {"address": address}
    assert all(act["by"] for act in acts)
    assert Audit(Path(state[1])).verify().broken is None


def test_nothing_is_answered_where_the_note_cannot_be_kept(
    state: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    audit = Audit(Path(state[1]))
    assert run(build(), ["query", QUERY, *state]) == 0
    audit.path.write_bytes(audit.path.read_bytes().replace(b"malignant", b"tampered!"))
    capsys.readouterr()
    assert run(build(), ["query", QUERY, *state]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "sonovan audit verify" in err


def test_what_is_older_than_its_site_keeps_it_is_shown_and_nothing_is_done(
    state: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(build(), ["catalog", "expire", *state]) == 0
    assert "no site has screenings" in capsys.readouterr().out
    assert run(build(), ["catalog", "hold", "site-1", "--by", "op-7", "--days", "1", *state]) == 0
    capsys.readouterr()
    assert run(build(), ["catalog", "expire", "--json", *state]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["erased"] == []
    assert [(each["site"], each["over"], each["held"]) for each in document["sites"]] == [("site-1", 1, False)]
    assert run(build(), ["catalog", "expire", *state]) == 0
    assert "nothing was changed" in capsys.readouterr().err
    assert run(build(), ["catalog", "expire", "--do", *state]) == 2
    assert run(build(), ["catalog", "hold", "site-1", "--by", "op-7", *state]) == 0
    capsys.readouterr()
    assert run(build(), ["catalog", "expire", "--do", "--by", "op-7", "--json", *state]) == 0, "no service is asked"
    assert json.loads(capsys.readouterr().out)["sites"][0]["held"] is True
