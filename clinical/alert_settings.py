"""The numbers of the alert rules, as a site may set them: one class per rule, each value the least that fires.

The defaults are for a site to confirm on its own sweeps. `sonovan.stream_apps.alert.rule_file` reads them from a file.
"""

from typing import Annotated, Final

from pydantic import Field, field_validator

from sonovan.contracts.alerts import Severity
from sonovan.contracts.lexicon import DESCRIPTORS
from sonovan.contracts.record import Part, Share, Token

SUSPICIOUS_WORDS: Final = (
    "breast.margin.spiculated",
    "breast.orientation.not_parallel",
    "thyroid.shape.taller_than_wide",
    "thyroid.margin.extrathyroidal_extension",
    "thyroid.echogenicity.very_hypoechoic",
    "thyroid.echogenicity.markedly_hypoechoic",
    "thyroid.echogenic_foci.punctate_echogenic_foci",
    "thyroid.calcifications.microcalcification",
)
"""Words that are enough by themselves, as `organ.term.word`.

Of a breast lesion the two of the highest predictive value (86 and 69 %: Hong et al., AJR 184:1260, 2005); an irregular
shape and a margin that is not circumscribed are said of too many benign lesions (docs/decisions/0052). Of a thyroid
nodule, for which no network gives a malignant score, every word that has three points in ACR TI-RADS (Tessler 2017)."""


class Rule(Part):
    """What every rule has: whether it is used, and how urgent what it tells is."""

    on: bool = True
    severity: Severity


class SuspiciousLesion(Rule):
    """A lesion whose `malignant`, the mean over its three most suspicious reliable frames, reaches `min_malignant`, or
    of which one of `words` was read off reliable outlines; whatever its size, and on one frame.

    The default was chosen on validation pictures (docs/decisions/0052), of which about a third is malignant: a site
    that screens chooses its own.
    """

    severity: Severity = "suspicious"
    min_malignant: Share = 0.35
    words: tuple[Token, ...] = Field(default=SUSPICIOUS_WORDS, max_length=64)

    @field_validator("words")
    @classmethod
    def _stand_in_the_lexicon(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        terms = {f"{organ}.{name}": term for organ, named in DESCRIPTORS.items() for name, term in named.items()}
        for each in words:
            term, _, word = each.rpartition(".")
            if term not in terms or word not in terms[term].words:
                raise ValueError(f"{each} is no word of the lexicon; a word is spelled like breast.margin.spiculated")
        return words


class PersistentLesion(Rule):
    """A lesion of which one sighting, by itself, meets all of these: frames of several sweeps do not add up.

    min_area_mm2 holds where the scale is known, min_area_px where it is not. min_score is held against the sighting's
    `score_mean` (the mean over its best members). Three frames, so that no single frame's error calls anybody; 12 mm²,
    about 4 mm across, just below the 5 mm from which ACR TI-RADS follows a nodule at all (Tessler 2017); 200 px, about
    as much on a usual screen (0.25 mm per pixel).
    """

    severity: Severity = "worklist"
    min_frames: Annotated[int, Field(ge=1)] = 3
    min_area_mm2: Annotated[float, Field(ge=0)] = 12.0
    min_area_px: Annotated[int, Field(ge=0)] = 200
    min_score: Share = 0.6


class NotRescanned(Rule):
    """A side that was scanned, is inadequate once everything has arrived, and was not scanned again before the van
    closed the screening; as long as nobody said that she left."""

    severity: Severity = "worklist"


class LeftBeforeRescan(Rule):
    """A side that was scanned, is inadequate once everything has arrived, and she has left the couch. Where this rule
    is off, `not_rescanned` tells of such a side as well."""

    severity: Severity = "worklist"


class PalpableNotOutlined(Rule):
    """A breast side on which a lump is felt and nothing is outlined, once everything that was sent has arrived."""

    severity: Severity = "worklist"


class ReportUnsigned(Rule):
    """A report that no reader has signed for `after_h` hours. The default is that after which the worklist of the
    console calls a screening overdue; it must leave the hours of a weekend where nobody reads then."""

    severity: Severity = "worklist"
    after_h: Annotated[float, Field(gt=0, le=24 * 365)] = 48.0


class OutcomeMissing(Rule):
    """A side that was signed as category 4 or 5, and of which nobody has recorded for `after_days` what it was.

    30 days leave time for an appointment and the pathologist. A site sets what its programme promises.
    """

    severity: Severity = "worklist"
    after_days: Annotated[float, Field(gt=0, le=3650)] = 30.0


class LargeGrowth(Rule):
    """A lesion that has grown since her earlier screening, by the comparison that the reader signed."""

    severity: Severity = "suspicious"


class AlertSettings(Part):
    """The numbers of every rule, by its name.

    change_share: by what share of the size that was told a lesion must differ for a correction to be sent.
    """

    suspicious_lesion: SuspiciousLesion = SuspiciousLesion()
    persistent_lesion: PersistentLesion = PersistentLesion()
    not_rescanned: NotRescanned = NotRescanned()
    left_before_rescan: LeftBeforeRescan = LeftBeforeRescan()
    palpable_not_outlined: PalpableNotOutlined = PalpableNotOutlined()
    report_unsigned: ReportUnsigned = ReportUnsigned()
    outcome_missing: OutcomeMissing = OutcomeMissing()
    large_growth: LargeGrowth = LargeGrowth()
    change_share: Annotated[float, Field(gt=0, le=10)] = 0.2
