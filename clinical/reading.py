"""What a reader's words come to while they are chosen: points, level, category, and what is recommended for it. Pure.

A reader who looked and could not tell a term's word leaves it undetermined: the standard's defaults for that
(composition 2, echogenicity 1, margin 0) then count, which software never applies. Only the reader's own words count: a
suggestion that nobody confirmed adds nothing.
Sources: Tessler et al., J Am Coll Radiol 14:587 (2017); Zhou et al., Endocrine 70:256 (2020); ACR BI-RADS Atlas, 5th
ed. (2013), ultrasound: management by category.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from sonovan.clinical.birads import ORDER
from sonovan.clinical.c_tirads import c_tirads
from sonovan.clinical.nodules import ACR_SIZES, largest_mm
from sonovan.clinical.said import Said
from sonovan.clinical.tirads import ACR_TI_RADS, EDITION, ENDS, UNDETERMINABLE, acr_tirads
from sonovan.contracts.conclusions import ACTIONS, Action, FindingRead, Recommended, WordRead
from sonovan.contracts.derivation import USUAL, Category, Points, Programme
from sonovan.contracts.lexicon import DESCRIPTORS, LEAST_WORRISOME_FIRST, Organ, Scheme, Side
from sonovan.contracts.record import Part
from sonovan.contracts.results import Finding

FOLLOW_UP_MONTHS: Final = 6
"""After BI-RADS 3. Source: ACR BI-RADS Atlas, 5th ed.: short-interval follow-up at six months."""
YEARLY: Final = 12


class ReadingRules(Part):
    """What a programme chooses of how readings lead on.

    bi_rads_0, bi_rads_3: what follows these categories. The Chinese rural programme sends both to mammography (a
    provincial notice of 2019; a site confirms the year's text), the Atlas asks for further imaging and for a follow-up
    after six months. second_reader: which screenings another reader reads as well. arbitration: whether a third one
    decides where the two differ.
    """

    bi_rads_0: Literal["further_imaging", "mammography", "scan_again"] = "further_imaging"
    bi_rads_3: Literal["follow_up", "mammography"] = "follow_up"
    second_reader: Literal["none", "called_back", "all"] = "none"
    arbitration: bool = True


USUAL_READING: Final = ReadingRules()
CHINESE_RURAL: Final = ReadingRules(bi_rads_0="mammography", bi_rads_3="mammography")


def said_by_reader(organ: Organ, words: Iterable[WordRead]) -> dict[str, Said]:
    """The reader's words by term; what is undetermined is `undeterminable` where the scheme has that, else nothing."""
    said = {}
    for each in words:
        known = UNDETERMINABLE in DESCRIPTORS[organ][each.term].words
        chosen = each.words or ((UNDETERMINABLE,) if known else ())
        if chosen:
            said[each.term] = Said(chosen, "reader")
    return said


def derived(organ: Organ, words: Iterable[WordRead], laterality: Side | None = None) -> tuple[Category, ...]:
    """What the words of one finding come to in each scheme of its organ that has points: none for a breast.

    While terms are still to be read a level is "at least" and names them, as everywhere.
    """
    if organ == "breast":
        return ()
    said = said_by_reader(organ, words)
    found = [_level(said, laterality), c_tirads(said, laterality)]
    return tuple(each for each in found if each is not None)


def _level(said: Mapping[str, Said], laterality: Side | None) -> Category | None:
    """The ACR level, TR1 among them: a reader may say what software never does."""
    composition = said.get("composition")
    ended = composition is not None and composition.words[0] in ENDS
    level = None if ended else acr_tirads(said, laterality)
    if level is not None:
        return level
    terms = ("composition",) if ended else ("composition", "echogenicity", "shape", "margin", "echogenic_foci")
    if not all(term in said for term in terms):
        return None
    points = tuple(Points(term=term, word=word, points=0, by="reader") for term in terms for word in said[term].words)
    return Category(
        scheme="TI-RADS", edition=EDITION, value="TR1", rule=ACR_TI_RADS, points=points, total=0, organ="thyroid",
        laterality=laterality,
    )  # fmt: skip


def recommended_for_breast(value: str, rules: ReadingRules = USUAL_READING) -> Recommended:
    """What follows a BI-RADS category: 1, 2 her next visit; 0, 3 as the programme says; 4, 5 tissue; 6 treatment."""
    actions: Mapping[str, Action] = {
        "0": rules.bi_rads_0,
        "1": "routine_screening",
        "2": "routine_screening",
        "3": rules.bi_rads_3,
        "6": "treatment",
    }
    action = actions.get(value, "tissue_diagnosis")
    return Recommended(action=action, months=FOLLOW_UP_MONTHS if action == "follow_up" else None)


def recommended_for_nodule(
    ti_rads: str | None, c_tirads_value: str | None, size_mm: float | None, programme: Programme = USUAL
) -> Recommended | None:
    """What category and size of a nodule lead to: treatment of what is proven (C-TIRADS 6) whatever else is said of it,
    aspiration, a scan in a year, or her next visit.

    An aspiration that either scheme advises counts. None where nobody gave it a category, or where its size is not
    known and would decide.
    """
    if c_tirads_value == "6":
        return Recommended(action="treatment")
    if ti_rads is None and c_tirads_value is None:
        return None
    sizes = ACR_SIZES.get(ti_rads or "")
    least = _least_fna_mm(c_tirads_value, programme)
    if sizes is None and least is None:
        return Recommended(action="routine_screening")
    if size_mm is None:
        return None
    if (sizes is not None and size_mm >= sizes.biopsy_mm) or (least is not None and size_mm >= least):
        return Recommended(action="fna")
    if sizes is not None and size_mm >= sizes.follow_up_mm:
        return Recommended(action="follow_up", months=YEARLY * sizes.next_year)
    return Recommended(action="routine_screening")


def asked_by_nodules(
    nodules: Iterable[FindingRead],
    lobe: Mapping[Scheme, str],
    measured: Sequence[Finding],
    programme: Programme = USUAL,
) -> list[Recommended | None]:
    """What each nodule of a lobe leads to by `recommended_for_nodule`, and the lobe itself where it is proven.

    lobe: the categories that the reader gave the lobe, which count for a nodule without a category of its own.
    measured: the findings of the revision, for the diameter of a nodule that the reader did not measure.
    """
    diameters = {each.finding_id: largest_mm(each) for each in measured}
    asked: list[Recommended | None] = []
    for each in nodules:
        values = {category.scheme: category.value for category in each.categories} or lobe
        size_mm = each.largest_mm or diameters.get(each.finding_id or "")
        asked.append(recommended_for_nodule(values.get("TI-RADS"), values.get("C-TIRADS"), size_mm, programme))
    if lobe.get("C-TIRADS") == "6":
        asked.append(Recommended(action="treatment"))
    return asked


def most_pressing_of(asked: Iterable[Recommended | None]) -> Recommended | None:
    """What several nodules of a lobe lead to together: what presses most, of two follow-ups the earlier one.

    None of none, and where one of them is undecided (None) and the others lead to less than what it could: an
    aspiration.
    """
    every = list(asked)
    most = max(
        (each for each in every if each is not None),
        key=lambda each: (ACTIONS.index(each.action), -(each.months or 0)),
        default=None,
    )
    return None if None in every and (most is None or less_than_fna(most.action)) else most


def less_than_fna(action: Action) -> bool:
    """Whether an action presses less than the aspiration to which a nodule of unknown size could lead."""
    return ACTIONS.index(action) < ACTIONS.index("fna")


def worst_category(scheme: Scheme, findings: Iterable[FindingRead]) -> str | None:
    """The most worrisome category of a scheme that the reader gave to any of these lesions; None where none has one."""
    values = [
        each.value
        for finding in findings
        if finding.verdict == "lesion"
        for each in finding.categories
        if each.scheme == scheme
    ]
    return max(values, key=LEAST_WORRISOME_FIRST[scheme].index, default=None)


def _least_fna_mm(value: str | None, programme: Programme) -> float | None:
    if value == "4A":
        return programme.c_tirads_4a_fna_mm
    return programme.c_tirads_4b_fna_mm if value in ("4B", "4C", "5") else None


def below_4(value: str) -> bool:
    """Whether a BI-RADS category asks for no tissue: it stands below 4A in the order in which categories decide."""
    return ORDER.index(value) < ORDER.index("4A")
