"""What does not fit together in a conclusion, named to the reader before signing. It blocks nothing: a reader decides.

What is looked for is what has let cancers through: a side that nobody examined, a finding that nobody judged, a sweep
that nobody opened, a side signed as negative on which a finding was confirmed, a woman's own signs without anything
that follows from them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sonovan.clinical.alert_settings import SUSPICIOUS_WORDS
from sonovan.clinical.conclusions import calls_back
from sonovan.clinical.left_open import sides_left_open
from sonovan.clinical.reading import (
    USUAL_READING,
    ReadingRules,
    asked_by_nodules,
    below_4,
    less_than_fna,
    recommended_for_breast,
    worst_category,
)
from sonovan.clinical.referral import DIAGNOSTIC_REFERRAL
from sonovan.contracts.conclusions import (
    ACTIONS,
    MAX_READ,
    Contradicts,
    FindingRead,
    Recommended,
    ScreeningConcluded,
    SideConcluded,
    TextBlock,
)
from sonovan.contracts.lexicon import LEAST_WORRISOME_FIRST, SCHEMES
from sonovan.contracts.results import ScreeningAssessed

NEGATIVE_BLOCKS: Final[frozenset[TextBlock]] = frozenset({"no_suspicious_finding", "no_nodule"})
SUSPICIOUS_BLOCKS: Final[frozenset[TextBlock]] = frozenset(
    {"solid_suspicious", "non_mass_suspicious", "nodule_suspicious", "lymph_nodes_suspicious"}
)
NOT_SEEN_WELL: Final = frozenset({"inadequate", "not_examined", "unknown"})


def contradictions(
    conclusion: ScreeningConcluded, read: ScreeningAssessed, rules: ReadingRules = USUAL_READING
) -> tuple[Contradicts, ...]:
    """Everything in a conclusion that does not fit together, or with the revision that was read; in a fixed order.

    read: the newest revision. One that is newer than what the conclusion names is a contradiction by itself.
    A conclusion holds MAX_READ of them: of more, the last findings that nobody judged are left out.
    """
    found = dict.fromkeys(
        (
            *_not_looked_at(conclusion, read),
            *(each for side in conclusion.sides for each in _of_side(side, conclusion, read, rules)),
            *_of_findings(conclusion, read),
        )
    )
    not_judged = [each for each in found if each.code == "finding_not_judged"]
    left_out = set(not_judged[len(not_judged) - max(0, len(found) - MAX_READ) :])
    return tuple(each for each in found if each not in left_out)


def _not_looked_at(conclusion: ScreeningConcluded, read: ScreeningAssessed) -> Iterator[Contradicts]:
    if conclusion.revision_id != read.revision_id:
        yield Contradicts(code="newer_revision")
    for each in sides_left_open(conclusion, read.adequacy, read.findings):
        here = {"organ": each.organ, "laterality": each.laterality}
        yield Contradicts(code="side_not_concluded" if each.examined else "side_not_examined", **here)
    if any(each.frames and not each.frames_seen for each in conclusion.looked_at):
        yield Contradicts(code="sweep_not_opened")
    judged = {each.finding_id for each in conclusion.findings}
    for number, finding in enumerate(read.findings, start=1):
        if finding.finding_id not in judged:
            yield Contradicts(
                code="finding_not_judged", organ=finding.organ, laterality=finding.laterality, number=number
            )


def _of_side(
    side: SideConcluded, conclusion: ScreeningConcluded, read: ScreeningAssessed, rules: ReadingRules
) -> Iterator[Contradicts]:
    place = (side.organ, side.laterality)
    here = {"organ": side.organ, "laterality": side.laterality}
    hers = [each for each in conclusion.findings if (each.organ, each.laterality) == place]
    lesions = [each for each in hers if each.verdict == "lesion"]
    if side.laterality is None:
        yield Contradicts(code="side_unknown", **here)
    bi_rads = side.category("BI-RADS")
    if lesions and (bi_rads == "1" or "no_nodule" in side.blocks):
        yield Contradicts(code="negative_with_lesion", **here)
    for scheme in SCHEMES[side.organ]:
        order, mine, worst = LEAST_WORRISOME_FIRST[scheme], side.category(scheme), worst_category(scheme, lesions)
        if mine is not None and worst is not None and order.index(mine) < order.index(worst):
            yield Contradicts(code="below_its_finding", **here)
    asks_little = bi_rads is not None and below_4(bi_rads)
    if asks_little and any(_suspicious_words(each) for each in lesions):
        yield Contradicts(code="suspicious_word_below_4", **here)
    nodules = _asked_by_nodules(side, lesions, read)
    if _less_than_recommended(side, nodules, rules):
        yield Contradicts(code="less_than_recommended", **here)
    if None in nodules and less_than_fna(side.recommended.action):
        yield Contradicts(code="nodule_undecided", **here)
    if _blocks_contradict(side, bi_rads) or ("stable_to_earlier" in side.blocks and _grown(side, conclusion)):
        yield Contradicts(code="blocks_contradict", **here)
    if _negative(side) and "not_fully_seen" not in side.blocks and _seen_badly(read, side):
        yield Contradicts(code="not_seen_well_signed_negative", **here)
    signs = any(each.rule == DIAGNOSTIC_REFERRAL and each.laterality in (side.laterality, None) for each in read.advice)
    if side.organ == "breast" and signs and not calls_back(side.recommended.action):
        yield Contradicts(code="own_signs_without_referral", **here)


def _of_findings(conclusion: ScreeningConcluded, read: ScreeningAssessed) -> Iterator[Contradicts]:
    numbers = {each.finding_id: number for number, each in enumerate(read.findings, start=1)}
    for finding in conclusion.findings:
        for each in finding.categories:
            if each.derived is not None and each.derived != each.value:
                number = numbers.get(finding.finding_id or "")
                yield Contradicts(
                    code="not_as_derived", organ=finding.organ, laterality=finding.laterality, number=number
                )


def _suspicious_words(finding: FindingRead) -> bool:
    said = {f"{finding.organ}.{each.term}.{word}" for each in finding.words for word in each.words}
    return not said.isdisjoint(SUSPICIOUS_WORDS)


def _asked_by_nodules(
    side: SideConcluded, lesions: Sequence[FindingRead], read: ScreeningAssessed
) -> list[Recommended | None]:
    """What the written rule asks for each nodule of a side; of a breast none."""
    if side.organ == "breast":
        return []
    lobe = {each.scheme: each.value for each in side.categories}
    return asked_by_nodules(lesions, lobe, read.findings, read.programme)


def _less_than_recommended(side: SideConcluded, nodules: Sequence[Recommended | None], rules: ReadingRules) -> bool:
    """Whether the written rule for its category, or for one of its nodules, asks for more than the reader does."""
    mine = ACTIONS.index(side.recommended.action)
    if (bi_rads := side.category("BI-RADS")) is not None:
        return ACTIONS.index(recommended_for_breast(bi_rads, rules).action) > mine
    return any(ACTIONS.index(each.action) > mine for each in nodules if each is not None)


def _blocks_contradict(side: SideConcluded, bi_rads: str | None) -> bool:
    blocks = set(side.blocks)
    negative, suspicious = blocks & NEGATIVE_BLOCKS, blocks & SUSPICIOUS_BLOCKS
    if negative and (suspicious or (bi_rads is not None and not below_4(bi_rads))):
        return True
    if "no_nodule" in blocks and side.categories and side.category("C-TIRADS") != "1":
        return True
    if {"stable_to_earlier", "grown_since_earlier"} <= blocks:
        return True
    return bool(suspicious) and bi_rads in ("1", "2")


def _grown(side: SideConcluded, conclusion: ScreeningConcluded) -> bool:
    """Whether a finding of the side has grown, by the comparison that the reader was shown."""
    compared = conclusion.comparison.findings if conclusion.comparison is not None else ()
    return any(each.grown and (each.organ, each.laterality) == (side.organ, side.laterality) for each in compared)


def _negative(side: SideConcluded) -> bool:
    return side.category("BI-RADS") in ("1", "2") or "no_nodule" in side.blocks


def _seen_badly(read: ScreeningAssessed, side: SideConcluded) -> bool:
    rows = [each for each in read.adequacy if (each.organ, each.laterality) == (side.organ, side.laterality)]
    return any(each.level in NOT_SEEN_WELL for each in rows)
