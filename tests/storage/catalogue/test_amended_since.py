"""The amendments of a screening beside those of the revision that was read, on both databases."""

from pathlib import Path

from sonovan.contracts.amendments import AmendmentInForce
from sonovan.storage.catalogue.amended_since import NOW, amendments_beside, amendments_of
from sonovan.storage.catalogue.asking import Limits, ask
from sonovan.storage.catalogue.database import Database, open_database
from sonovan.storage.catalogue.writing import write
from tests.clinical.records import REPORT, SCREENING, assessed, sha
from tests.stream_apps.catalog.scene import amended, changes, opened

SWEEP = "0192f0c1-2345-7abc-8def-000000000001"
SIDE = {"kind": "side", "sequence_ids": [SWEEP], "laterality": "right"}
MADE = [
    opened(),
    assessed(revision_id=sha("read"), revision_number=1, **REPORT),
    assessed(
        revision_id=sha("newest"), revision_number=2, **REPORT,
        amendments=(AmendmentInForce(amendment_number=1, kind="woman", because="wrong_woman"),),
    ),
    amended(1, {"kind": "woman", "subject_key": "b" * 64, "slip_number": None}, "wrong_woman"),
    amended(2, SIDE, "side_entered_wrong"),
    amended(3, {"kind": "taken_back", "amendment_number": 1}, "amended_by_mistake"),
    amended(4, {"kind": "consent", "withdrawn": ["ai", "sharing"]}, "she_withdrew"),
    amended(5, {"kind": "void"}, "no_screening", van_id="van-2"),
]  # fmt: skip
IN_FORCE = (
    AmendmentInForce(
        amendment_number=2, kind="side", because="side_entered_wrong", sequence_ids=(SWEEP,),
        laterality="right",
    ),
    AmendmentInForce(amendment_number=4, kind="consent", because="she_withdrew", withdrawn=("ai",)),
)  # fmt: skip


def test_what_holds_now_stands_beside_what_was_read_and_what_the_newest_revision_says(database: Database) -> None:
    with database.writing() as connection:
        write(connection, changes(MADE))
        found = amendments_beside(connection, SCREENING, sha("read"))
    assert found.read == ()
    assert [each.kind for each in found.newest] == ["woman"]
    assert found.now == IN_FORCE


def test_whoever_only_reads_may_ask_for_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    opened_here = open_database(url)
    opened_here.prepare()
    with opened_here.writing() as connection:
        write(connection, changes(MADE))
    opened_here.close()
    answer = ask(url, NOW.format(screening=f"'{SCREENING}'"), Limits())
    assert amendments_of([dict(zip(answer.columns, row, strict=True)) for row in answer.rows]) == IN_FORCE
