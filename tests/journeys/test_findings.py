"""A whole woman through the running system, and what is put right after her report.

One woman has both breasts and a lobe of her thyroid scanned. Frames are missing, then come late. She feels a lump in
the breast on which nothing is outlined, and the other lobe is never scanned. Then sides, the woman and her consent are
amended, and another screening turns out to be void.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from sonovan.contracts.alerts import AboutFinding, LesionAlerted
from sonovan.contracts.answers import RecordRejected, VanAnswered
from sonovan.contracts.ids import mint_id
from sonovan.contracts.lexicon import Organ, Position, Side
from sonovan.contracts.results import ScreeningAssessed
from sonovan.contracts.topics import TOPICS, Topic, van_answered_topic
from sonovan.contracts.van import Consent, PlannedRegion
from sonovan.contracts.words import slip_number
from sonovan.inputs import sources_of
from sonovan.models.phantom.sweep import simulate_sweep
from sonovan.outputs import report_of
from sonovan.producers.items import Ids, Item, Visit
from sonovan.producers.screening import compose_sequence
from sonovan.producers.site import visit_key
from sonovan.producers.sources import Source, capture_options
from sonovan.producers.spool import Spool
from sonovan.producers.spool.states import Message
from sonovan.reports.amended import amended_words
from sonovan.reports.phrases import LANGUAGES, Language
from sonovan.reports.words import Words
from tests.journeys.account import assert_one_content_each, assert_revisions_count_upward, newest, wait_for
from tests.journeys.hunt import hits, kept_in
from tests.journeys.van import COLUMNS, ROWS, SPACING_MM, Screening, Sweep, Van, sweep
from tests.journeys.world import World
from tests.producers.visits import vault_of

pytestmark = [pytest.mark.journeys, pytest.mark.timeout(900)]

SLIP, OTHER_SLIP = slip_number("J", 4711), slip_number("J", 4712)
PERSON, OTHER_PERSON = "person-4711-wang", "person-4712-wang"
NAMES: Final = (PERSON, OTHER_PERSON, "Xiaomei")
"""What must stand nowhere: only keys made from these leave the van, and a reason is a code."""

ASSESS: Final = {
    "SONOVAN_ASSESS_INCOMPLETE_AFTER_S": "4",
    "SONOVAN_ASSESS_TICK_EVERY_S": "1",
    "SONOVAN_ASSESS_REPORT_SHOWS": "slip_number,age",
}
PLANNED: Final = tuple(
    PlannedRegion.model_validate({"organ": organ, "side": side})
    for organ in ("breast", "thyroid")
    for side in ("left", "right")
)
LATE: Final = (3, 5)
"""Frames of her left breast that are missing at first."""
TOLD: Final = Counter(persistent_lesion=2, palpable_not_outlined=1)
"""The rules by which somebody is told of her, at least."""
MOST: Final = 1000
"""More messages than any screening here has."""
POPPLER: Final = shutil.which("pdftotext") is not None
needs_poppler = pytest.mark.skipif(
    not POPPLER and not os.environ.get("CI"), reason="no poppler here (Debian: poppler-utils)"
)


@dataclass(frozen=True)
class Part:
    """One sweep of her: what is scanned, and its pictures."""

    organ: Organ
    side: Side
    pixels: Sweep
    position: Position | None = None


def simulated(organ: Organ, frames: int, lesions: int, seed: int) -> Sweep:
    return tuple(simulate_sweep(organ, frames=frames, size=(ROWS, COLUMNS), lesions=lesions, seed=seed).frames)


HER_PARTS: Final = (
    Part("breast", "left", sweep(8)),
    Part("breast", "right", simulated("breast", 8, 0, 3)),
    Part("thyroid", "left", simulated("thyroid", 8, 1, 0)),
)
"""A lesion on the left; nothing on the right, where she feels a lump; a nodule in one lobe alone is scanned."""


def composed(world: World, van: Van, parts: Sequence[Part], visit: Visit) -> Screening:
    """Her screening in the van's spool, so that commands know it; with every message as the spool would send it."""
    sources: list[Source] = []
    for part in parts:
        options = capture_options(organ=part.organ, side=part.side, position=part.position, pixel_spacing_mm=SPACING_MM)
        sources += sources_of(list(part.pixels), options, world.centre.path / "Xiaomei").sources
    vault = vault_of(world.centre.path, van.van_id)
    with Spool(vault.folder / "spool", vault) as spool:
        screening = spool.open_screening(visit, van.signer, sources)
        ids = Ids(screening.screening_id, tuple(mint_id() for _ in sources))
        for source, sequence_id in zip(sources, ids.sequence_ids, strict=True):
            compose_sequence(screening, source, sequence_id)
        screening.close()
        items = [item_of(message, ids) for name in spool.pending(MOST, 0) if (message := spool.load(name))]
    return Screening(ids, tuple(each for part in parts for each in part.pixels), tuple(items))


def item_of(message: Message, ids: Ids) -> Item:
    return Item(
        message.item_id, Topic(message.topic), message.key, message.value, "", ids.screening_id, headers=message.headers
    )


def visit(van: Van, person: str, slip: str, **features: Any) -> Visit:
    return Visit(
        subject_key=visit_key(vault_of(van.world.centre.path, van.van_id), person),
        site_code="site-1",
        slip_number=slip,
        consent=Consent(screening=True, ai=True, research=True),
        planned=PLANNED,
        features=features or None,
    )


@dataclass
class Day:
    """What was seen of it, in its order."""

    world: World
    van: Van
    her: Screening
    late: frozenset[tuple[str, int]]
    incomplete: ScreeningAssessed
    complete: ScreeningAssessed
    told: list[LesionAlerted]
    printed: dict[Language, str]
    sides: ScreeningAssessed | None = None
    corrected: dict[str, LesionAlerted] = field(default_factory=dict)
    woman: ScreeningAssessed | None = None
    printed_amended: dict[Language, str] = field(default_factory=dict)
    without_ai: ScreeningAssessed | None = None
    trial: Screening | None = None
    void: ScreeningAssessed | None = None
    answered: str = ""


@pytest.fixture(scope="module")
def day(world: World, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The whole day, once: her screening, her report, and what is put right afterwards."""
    folder = tmp_path_factory.mktemp("Xiaomei")
    world.work(also={"assess": ASSESS})
    van = Van(world)
    her = composed(world, van, HER_PARTS, visit(van, PERSON, SLIP, age_years=52, palpable_lump="right"))
    left, right, _ = her.ids.sequence_ids
    held_back = {f"{left}/{index:06d}" for index in LATE}
    van.send(item for item in her.items if item.item_id not in held_back)
    incomplete = wait_for(world, her, "incomplete", lambda found: missing_of(found) == {(left, each) for each in LATE})
    world.sonovan("van", "spool", "retry", "--van", van.van_id)  # what came before comes again, and the late frames
    complete = wait_for(world, her, "complete")
    world.until(lambda: rules_of(standing(world, her)) >= TOLD, "both lesions and the lump are told of")
    told = standing(world, her)
    printed = exported(world, her, folder / "first")

    day = Day(world, van, her, frozenset((left, each) for each in LATE), incomplete, complete, told, printed)
    amend(day, her, "side", "--sequence", left, "--to", "right")
    day.sides = amend(day, her, "side", "--sequence", right, "--to", "left", "--by", "op-7")
    world.until(lambda: state_of(world, her, "corrected"), "the correction of the side is told")
    day.corrected = {each.rule: each for each in newest_alerts(world, her)}
    day.woman = amend(day, her, "woman", "--person", OTHER_PERSON, "--slip", OTHER_SLIP, "--because", "two_slips")
    day.printed_amended = exported(world, her, folder / "amended")
    day.without_ai = amend(day, her, "consent", "--withdraw", "ai,research")
    world.until(lambda: not standing(world, her), "her alerts are withdrawn")

    trial = day.trial = composed(world, van, [HER_PARTS[0], HER_PARTS[2]], visit(van, OTHER_PERSON, OTHER_SLIP))
    world.sonovan("van", "spool", "retry", "--van", van.van_id)
    wait_for(world, trial, "complete")
    two = Counter(persistent_lesion=2)
    world.until(lambda: rules_of(standing(world, trial)) >= two, "two lesions of the trial are told of")
    day.answered = standing(world, trial)[0].alert_id
    world.sonovan("alerts", "ack", day.answered[:12], "--by", "dr-1")
    world.until(lambda: state_of(world, trial, "acknowledged"), "one of them is answered")
    day.void = amend(day, trial, "void", "--because", "no_screening")
    world.until(lambda: not standing(world, trial), "the void screening's alerts are gone")
    return day


def test_missing_frames_are_listed_and_late_ones_complete_her_screening(day: Day) -> None:
    assert missing_of(day.incomplete) == day.late
    assert day.complete.frames == len(day.her.frame_ids)
    names = [{each.finding_id for each in revision.findings} for revision in (day.incomplete, day.complete)]
    assert names[0] <= names[1], "late frames rename no lesion"
    assert day.complete.revision_number > day.incomplete.revision_number


def test_both_breasts_and_the_thyroid_are_reported_with_what_was_not_scanned(day: Day) -> None:
    assert levels(day.complete) == {
        ("breast", "left"): "usable",
        ("breast", "right"): "usable",
        ("thyroid", "left"): "usable",
        ("thyroid", "right"): "not_examined",
    }
    assert {(each.organ, each.laterality) for each in day.complete.findings} == {
        ("breast", "left"),
        ("thyroid", "left"),
    }
    referral = day.complete.advice[0]
    assert (referral.rule, referral.organ, referral.laterality) == ("diagnostic_referral", "breast", "right")


def test_each_lesion_and_the_lump_that_nobody_outlined_is_told_once(day: Day) -> None:
    assert rules_of(day.told) >= TOLD
    named = {(each.rule, each.about.finding_id) for each in day.told if isinstance(each.about, AboutFinding)}
    assert len(named) + 1 == len(day.told)
    assert all(each.state == "raised" for each in day.told)


@needs_poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_her_pdf_reads_back(day: Day, language: Language) -> None:
    words, text = Words(language), day.printed[language]
    for place in (("breast", "left"), ("breast", "right"), ("thyroid", "left")):
        assert squeezed(words.place(*place)) in text
    for said in (SLIP, words.text("unsigned"), words.text("earlier_none"), words.text("not_examined_heading"),
                 words.lexicon("palpable_lump"), words.advice(day.complete.advice[0])):  # fmt: skip
        assert squeezed(said) in text


def test_sides_that_were_exchanged_are_right_everywhere_and_names_and_alerts_stay(day: Day) -> None:
    assert day.sides is not None
    assert {each.finding_id: each.laterality for each in day.sides.findings if each.organ == "breast"} == {
        each.finding_id: "right" for each in day.complete.findings if each.organ == "breast"
    }
    assert levels(day.sides) == levels(day.complete), "each breast was scanned, only the other one"
    told, lesion = day.corrected["palpable_not_outlined"], next(each for each in day.told if of_breast(each))
    assert told.state == "withdrawn", "the lump that she feels is outlined after all"
    changed = [each for each in history(day.world, day.her, lesion.alert_id) if each.state == "corrected"]
    assert changed[0].because[0].code == "side_changed"


@needs_poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_amended_pdf_says_on_top_what_was_amended_and_names_the_right_slip(day: Day, language: Language) -> None:
    assert day.woman is not None
    words, text = Words(language), day.printed_amended[language]
    assert [each.kind for each in day.woman.amendments] == ["side", "side", "woman"]
    for made in day.woman.amendments:
        said = squeezed(amended_words(made, words))
        assert said in text
        assert text.index(said) < text.index(squeezed(words.text("heading")))
    assert OTHER_SLIP in text
    assert SLIP not in text


def test_without_consent_to_a_machine_nothing_of_it_is_said_and_her_lump_still_refers_her(day: Day) -> None:
    assert day.without_ai is not None
    assert (day.without_ai.findings, day.without_ai.adequacy, day.without_ai.categories) == ((), (), ())
    assert [each.rule for each in day.without_ai.advice] == ["diagnostic_referral"]
    assert day.without_ai.amendments[-1].withdrawn == ("ai", "research")
    page, text = report_of(day.without_ai, day.world.store)
    assert b"data:image/png" not in page.split(b"<main>")[1], "no picture is shown"
    assert json.loads(text)["recorded"]["palpable_lump"] == "right"
    gone = {each.because[0].code for each in newest_alerts(day.world, day.her) if each.state == "withdrawn"}
    assert "consent_withdrawn" in gone


def test_a_void_screening_withdraws_its_alerts_and_leaves_the_answered_one_to_whoever_answered(day: Day) -> None:
    assert day.void is not None
    assert day.trial is not None
    assert (day.void.findings, day.void.advice) == ((), ())
    assert json.loads(report_of(day.void, day.world.store)[1])["recorded"] is None
    newest = {each.alert_id: each for each in newest_alerts(day.world, day.trial)}
    assert newest.pop(day.answered).state == "vanished"
    assert {each.state for each in newest.values()} == {"withdrawn"}
    assert all(each.because[0].code == "screening_void" for each in newest.values())


def test_everything_is_stored_once_and_the_van_has_a_receipt_for_each_amendment(day: Day) -> None:
    for screening in (day.her, day.trial):
        assert screening is not None
        assert_revisions_count_upward(day.world, screening)
    assert_one_content_each(day.world)
    answers = day.world.records(van_answered_topic(day.van.van_id).name, VanAnswered)
    amended = {each.item_id for each in answers if "/amended/" in each.item_id and each.kind == "stored"}
    assert len(amended) == 5
    assert not day.world.records(Topic.RECORD_REJECTED, RecordRejected, day.her.screening_id)


def test_nothing_that_names_her_stands_in_a_topic_an_object_or_a_log(day: Day) -> None:
    state = day.world.centre.state
    found = {name: hits(folder, [*NAMES, SLIP]) for name, folder in kept_in(state)}
    assert found["kafka"].pop(SLIP), "the hunt finds what is there: the opening has her slip"
    assert found["minio"].pop(SLIP), "the site shows slips in reports"
    assert not any(places for each in found.values() for places in each.values()), found
    vault = vault_of(day.world.centre.path, day.van.van_id)
    keys = [visit_key(vault, each) for each in (PERSON, OTHER_PERSON)]
    for name in {name for name, row in TOPICS.items() if not row.personal} - {Topic.FRAME_CAPTURED}:
        values = b"".join(message.value or b"" for message in day.world.messages(name))
        for secret in (SLIP, OTHER_SLIP, *keys):
            assert secret.encode() not in values, f"{name} has {secret}"


def amend(day: Day, screening: Screening, kind: str, *words: str) -> ScreeningAssessed:
    """Amend a screening by a command, and wait for the revision that follows."""
    before = newest(day.world, screening)
    assert before is not None
    told = day.world.sonovan("van", "amend", kind, screening.screening_id, *words, "--van", day.van.van_id)
    assert "is stored" in told
    return wait_for(day.world, screening, before.status, lambda found: found.revision_number > before.revision_number)


def exported(world: World, screening: Screening, folder: Path) -> dict[Language, str]:
    """The text of the PDF in each language, without white space: poppler breaks lines where the page does."""
    if not POPPLER:
        return {}
    world.sonovan("export", "report", screening.screening_id, "--out", str(folder))
    read = {}
    for language in LANGUAGES:
        command = ["pdftotext", "-layout", str(folder / f"report-{language}.pdf"), "-"]
        read[language] = squeezed(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return read


def squeezed(text: str) -> str:
    return "".join(text.split())


def of_breast(alert: LesionAlerted) -> bool:
    return isinstance(alert.about, AboutFinding) and alert.about.organ == "breast"


def history(world: World, screening: Screening, alert_id: str) -> list[LesionAlerted]:
    found = world.records(Topic.LESION_ALERTED, LesionAlerted, screening.screening_id)
    return [each for each in found if each.alert_id == alert_id]


def newest_alerts(world: World, screening: Screening) -> list[LesionAlerted]:
    """The newest record of each alert."""
    found = world.records(Topic.LESION_ALERTED, LesionAlerted, screening.screening_id)
    return list({each.alert_id: each for each in found}.values())


def state_of(world: World, screening: Screening, state: str) -> list[LesionAlerted]:
    return [each for each in newest_alerts(world, screening) if each.state == state]


def standing(world: World, screening: Screening) -> list[LesionAlerted]:
    """The alerts that are neither withdrawn nor gone."""
    return [each for each in newest_alerts(world, screening) if each.state not in ("withdrawn", "vanished")]


def rules_of(alerts: list[LesionAlerted]) -> Counter[str]:
    return Counter(each.rule for each in alerts)


def missing_of(revision: ScreeningAssessed) -> set[tuple[str, int]]:
    return {(gap.sequence_id, index) for gap in revision.missing for index in gap.indices or ()}


def levels(revision: ScreeningAssessed) -> dict[tuple[str, str | None], str]:
    return {(row.organ, row.laterality): row.level for row in revision.adequacy}
