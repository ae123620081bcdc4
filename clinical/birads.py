"""BI-RADS, suggested for review: of a breast lesion by its likelihood of malignancy, of a side by its worst lesion.

Never derived: 1 and 2 (only a reader finds nothing, or a benign lesion), 3 (what software calls harmless was malignant
in 9 of 100 of our lesions, where category 3 allows 2), 6 (a pathologist's), any probability of a whole examination.
Source: ACR BI-RADS Atlas, 5th ed. (2013), ultrasound: likelihoods of the categories, and which finding decides. The
edition is the programme's (2013 or v2025); the likelihoods are the same in both.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sonovan.clinical.alert_rules import SUSPICIOUS_WORD
from sonovan.clinical.alert_settings import SUSPICIOUS_WORDS
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Category, Programme
from sonovan.contracts.lexicon import LEAST_WORRISOME_FIRST
from sonovan.contracts.results import Finding

BREAST_LESION: Final = "breast_lesion"
MOST_WORRISOME_FINDING: Final = "most_worrisome_finding"

LIKELIHOOD: Final = "likelihood_of_malignancy"

ORDER: Final = LEAST_WORRISOME_FIRST["BI-RADS"]
"""From the least to the most worrisome; an incomplete examination stands below a suspicious lesion."""
BANDS: Final = ((0.95, "5"), (0.5, "4C"), (0.1, "4B"), (0.02, "4A"))
"""The likelihood above which a lesion has the category: ≥ 95 %, > 50, > 10, > 2."""


def breast_lesion(finding: Finding, programme: Programme) -> Category | None:
    """The category that a breast lesion suggests, with its reasons; None where it suggests none, which is not benign.

    Its likelihood of malignancy decides: the calibrated risk, else the malignant score. One of `SUSPICIOUS_WORDS` is 4A
    at least. A lesion whose outlines are unreliable has no category: a reader decides.
    """
    if finding.organ != "breast" or finding.outline_unreliable:
        return None
    likelihood = finding.malignant if finding.risk is None else finding.risk.probability
    by_score = None if likelihood is None else _band(likelihood)
    words = [f"breast.{each.name}.{each.value}" for each in finding.descriptors]
    suspicious = [word for word in words if word in SUSPICIOUS_WORDS]
    value = by_score or ("4A" if suspicious else None)
    if value is None:
        return None
    because = [Because(code=SUSPICIOUS_WORD, value=word) for word in suspicious]
    if by_score is not None and likelihood is not None:
        because.insert(0, Because(code=LIKELIHOOD, value=likelihood, unit="1"))
    return Category(
        scheme="BI-RADS",
        edition=programme.bi_rads_edition,
        value=value,
        rule=BREAST_LESION,
        because=tuple(because),
        organ="breast",
        laterality=finding.laterality,
    )


def most_worrisome(findings: Iterable[Finding]) -> Finding | None:
    """The finding whose category stands highest in `ORDER`, of equals the first; None where none has one."""
    judged: Sequence[Finding] = [each for each in findings if each.category("BI-RADS") is not None]
    return max(judged, key=rank, default=None)


def rank(finding: Finding) -> int:
    """The place of a finding's category in `ORDER`; -1 without one."""
    category = finding.category("BI-RADS")
    return -1 if category is None or category.value is None else ORDER.index(category.value)


def _band(likelihood: float) -> str | None:
    if likelihood >= BANDS[0][0]:
        return BANDS[0][1]
    return next((value for least, value in BANDS[1:] if likelihood > least), None)
