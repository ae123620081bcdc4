"""A reader sees what has become of the lesions of the earlier screening, signs it, and it is undone with that one."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from sonovan.clinical.category import categorised
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.contracts.description import Location
from sonovan.contracts.record import Record
from sonovan.contracts.results import Finding
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from tests.clinical.records import sha
from tests.console.cine_scene import Clip, lesion, make_screening
from tests.console.signing_scene import LEFT, SHE, Signing, revision, signing
from tests.console.test_signing import form_of, look
from tests.console.world import Browser
from tests.contracts.conclusions import concluded, left_breast
from tests.contracts.conclusions import lesion as read
from tests.stream_apps.catalog.scene import amended, erased

BEFORE: Final = "0192f0c0-2345-7abc-8def-0123456789ab"
EARLIER: Final = Clip("0192f0c0-2345-7abc-8def-000000000003", 6)
PAGE: Final = f"/reading/{SHE}"
SIGNED: Final = f"/signed/{SHE}"
SITE: Final = "site-2"


def placed(clip: Clip, number: int, mm: float) -> Finding:
    """A lesion at two o'clock of the left breast whose largest diameter is known."""
    made = lesion(clip, 1, 4, number)
    seen = made.best.model_copy(update={"long_axis_mm": mm})
    where = Location(hour=2, region="upper_outer", nipple_distance_mm=30)
    (found,) = categorised((made.model_copy(update={"sightings": (seen,), "location": where}),))
    return found


OLD: Final = placed(EARLIER, 7, 10.0)
NEW: Final = placed(LEFT, 1, 14.0)


@pytest.fixture
def desk(worlds: ExitStack, tmp_path: Path) -> Signing:
    """Her second screening, whose lesion is larger than at the first one, of another site."""
    store = FolderStore(tmp_path / "one" / "objects")

    def also(connection: Connection) -> None:
        told = revision(store, 2, [OLD], "decision_support", screening_id=BEFORE, revision_id=sha("before"))
        make_screening(connection, store, BEFORE, [EARLIER], findings=[OLD], more=(told,), site_code=SITE)

    made = worlds.enter_context(signing(tmp_path / "one", also=also))
    made.revise(3, [NEW])
    return made


def amend(desk: Signing, screening_id: str, kind: dict[str, Any], because: str) -> Record:
    record = amended(1, kind, because).model_copy(update={"screening_id": screening_id})
    desk.write(record)
    return record


def compared(browser: Browser) -> str:
    """What the form says of the comparison, without tags."""
    told = browser.get(PAGE).text.split('id="compared"')[1].split("<h3>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", told).split())


def sign(browser: Browser, form: dict[str, str]) -> Any:
    key = NEW.finding_id[:16]
    chosen = {
        f"f.{key}.verdict": "lesion", f"f.{key}.c.BI-RADS": "4A", f"f.{key}.w.shape": "irregular",
        "s.breast.left.c.BI-RADS": "4A", "s.breast.left.action": "tissue_diagnosis",
        "s.breast.right.c.BI-RADS": "1", "s.breast.right.action": "routine_screening",
        "s.thyroid.left.block": "no_nodule", "s.thyroid.left.action": "routine_screening",
    }  # fmt: skip
    first = browser.post(f"{PAGE}/sign", {**form, **chosen})
    despite = re.search(r'name="despite" value="(\w+)"', first.text)
    return first if despite is None else browser.post(f"{PAGE}/sign", {**form, **chosen, "despite": despite[1]})


def signed(desk: Signing, reader: Browser) -> ScreeningConcluded:
    look(reader)
    answer = sign(reader, form_of(reader))
    assert answer.status == 303, re.findall(r"error[^<]*<", answer.text)
    (made,) = (each for each in desk.published if isinstance(each, ScreeningConcluded))
    return made


def page_of(reader: Browser, made: ScreeningConcluded, language: str = "en") -> str:
    answer = reader.get(f"{SIGNED}/{made.conclusion_id}/page/{language}")
    assert answer.status == 200
    return answer.text


def test_a_lesion_that_has_grown_is_shown_and_signed_and_nothing_names_the_earlier_screening(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    told = compared(reader)
    assert "finding 1" in told
    assert "seen before GROWN" in told
    assert "they may be two lesions" in told
    made = signed(desk, reader)
    assert made.comparison is not None
    (one,) = made.comparison.findings
    assert (one.change, one.grown, one.finding_id) == ("seen_before", True, NEW.finding_id)
    kept = made.encode().decode()
    assert BEFORE not in kept
    assert OLD.finding_id not in kept
    assert sha("before") not in kept
    assert "GROWN" in page_of(reader, made)
    assert "增大" in page_of(reader, made, "zh")


@pytest.mark.parametrize(
    "undone",
    [
        pytest.param(lambda desk: amend(desk, BEFORE, {"kind": "void"}, "no_screening"), id="it is void"),
        pytest.param(
            lambda desk: amend(
                desk, BEFORE, {"kind": "woman", "subject_key": "b" * 64, "slip_number": None}, "wrong_woman"
            ),
            id="it was another woman's",
        ),
        pytest.param(
            lambda desk: amend(desk, SHE, {"kind": "woman", "subject_key": "b" * 64, "slip_number": None}, "two_slips"),
            id="this one is another woman's",
        ),
        pytest.param(
            lambda desk: amend(desk, BEFORE, {"kind": "consent", "withdrawn": ["ai"]}, "she_withdrew"),
            id="she agrees no more",
        ),
        pytest.param(lambda desk: desk.write(erased(BEFORE)), id="it is erased"),
    ],
)
def test_with_the_earlier_screening_its_comparison_goes(desk: Signing, undone: Any) -> None:
    reader = desk.console.browser("dr-1", "reader")
    made = signed(desk, reader)
    assert "GROWN" in page_of(reader, made)
    undone(desk)
    told = page_of(reader, made)
    assert "does not count any more" in told
    assert "GROWN" not in told


def test_what_is_signed_is_what_was_read(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    look(reader)
    form = form_of(reader)
    amend(desk, BEFORE, {"kind": "void"}, "no_screening")
    answer = sign(reader, form)
    assert answer.status == 409
    assert "the comparison with her earlier screening is another one by now" in answer.text
    assert desk.published == []
    assert sign(reader, form_of(reader)).status == 303


def test_what_a_reader_called_no_lesion_is_not_compared_with(desk: Signing) -> None:
    none = read(finding_id=OLD.finding_id, verdict="no_lesion", words=(), categories=())
    made = concluded(screening_id=BEFORE, sides=(left_breast("2", "routine_screening"),), findings=(none,))
    desk.write(made)
    assert "seen before" not in compared(desk.console.browser("dr-1", "reader"))


def report_of_before(desk: Signing) -> Path:
    """Where the report of the earlier screening lies."""
    (stored,) = (desk.folder / "objects").glob(f"{Bucket.REPORTS}/*/{BEFORE}/*.json")
    return stored


def test_a_signed_comparison_is_not_shown_while_the_earlier_report_is_damaged(desk: Signing) -> None:
    reader = desk.console.browser("dr-1", "reader")
    made = signed(desk, reader)
    report_of_before(desk).write_bytes(b"{}")
    told = page_of(reader, made)
    assert "GROWN" not in told
    assert "does not count any more" not in told


@pytest.mark.parametrize("damaged", [True, False], ids=["other bytes", "gone"])
def test_a_report_of_the_earlier_screening_that_cannot_be_read_keeps_nobody_from_signing(
    desk: Signing, damaged: bool
) -> None:
    stored = report_of_before(desk)
    if damaged:
        stored.write_bytes(stored.read_bytes().replace(b"10.0", b"30.0"))
    else:
        stored.unlink()
    reader = desk.console.browser("dr-1", "reader")
    told = compared(reader)
    assert "the report of her earlier screening cannot be read" in told
    assert "no earlier screening" not in told
    assert signed(desk, reader).comparison is None


def test_who_may_not_see_the_earlier_site_sees_no_comparison(desk: Signing) -> None:
    local = desk.console.browser("dr-3", "reader", sites=["site-1"])
    assert "no earlier screening of her that counts" in compared(local)
    assert SITE not in local.get(PAGE).text


def test_who_may_not_see_the_earlier_site_is_shown_no_signed_comparison_either(desk: Signing) -> None:
    made = signed(desk, desk.console.browser("dr-1", "reader"))
    lead = desk.console.browser("ld-1", "lead", sites=["site-1"])
    told = page_of(lead, made)
    assert "GROWN" not in told
    assert "The console shows it to whoever may see both screenings" in told
    assert "GROWN" in page_of(desk.console.browser("ld-2", "lead", sites=["site-1", SITE]), made)
    amend(desk, BEFORE, {"kind": "void"}, "no_screening")
    assert "does not count any more" in page_of(lead, made)


def test_another_womans_screening_is_never_compared_with(worlds: ExitStack, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "two" / "objects")

    def also(connection: Connection) -> None:
        told = revision(store, 2, [OLD], "decision_support", screening_id=BEFORE, revision_id=sha("before"))
        make_screening(connection, store, BEFORE, [EARLIER], findings=[OLD], more=(told,), subject_key="b" * 64)

    other = worlds.enter_context(signing(tmp_path / "two", also=also))
    other.revise(3, [NEW])
    assert "no earlier screening of her that counts" in compared(other.console.browser("dr-1", "reader"))
