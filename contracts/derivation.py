"""What written rules derive, for review: categories with their points, risk, advice, and the settings behind them."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import CATEGORIES, BiRadsEdition, Organ, Position, Scheme, Side
from sonovan.contracts.record import Count, Part, Sha256, Share, Token
from sonovan.contracts.van import PlannedRegion


class Programme(Part):
    """What a programme chooses of the rules. It goes into every revision's id, so that another choice is another one.

    bi_rads_edition: the lexicon of the breast. c_tirads_4a_fna_mm, c_tirads_4b_fna_mm: from which size C-TIRADS 4A, and
    4B to 5, advise a biopsy. calibration: the table that turns a malignant score into a risk
    (`sonovan.clinical.risk.CALIBRATIONS`, or the name of a site's own). calibration_shift: what a site's own outcomes
    add to the logit of every risk (`sonovan models calibrate`).
    """

    bi_rads_edition: BiRadsEdition = "2013"
    c_tirads_4a_fna_mm: float = Field(default=15.0, ge=5, le=40)
    c_tirads_4b_fna_mm: float = Field(default=10.0, ge=5, le=40)
    calibration: Token = "public-1"
    calibration_shift: float = Field(default=0.0, ge=-10, le=10)


USUAL: Final = Programme()
"""The programme where nobody chose anything."""


class Points(Part):
    """What one word of the lexicon adds to a category, and who said the word."""

    term: Token
    word: Token
    points: int = Field(ge=-1, le=3)
    by: Literal["software", "reader"]


class Category(Part):
    """A category that a written rule derives, for review, of a finding or of one organ and side.

    `edition` is the lexicon's. `rule` names the rule, `because` what it found, in the rule's order. Where the scheme
    adds points, `points` has them one by one and `total` their sum. `at_least`: more may be added, for the terms
    `not_read` were not determined; the value is then what the words that were read come to, and `because` names what
    could still take from it. `still_unseen`: the regions of its
    side that were not seen well enough; the category is then incomplete, whatever its value.
    Where `withheld`, all but scheme, place and `withheld` is empty.
    """

    scheme: Scheme
    edition: Token | None = None
    value: Token | None
    rule: Token | None
    because: tuple[Because, ...] = Field(default=(), max_length=256)
    points: tuple[Points, ...] = Field(default=(), max_length=16)
    total: int | None = Field(default=None, ge=-1, le=32)
    at_least: bool = False
    not_read: tuple[Token, ...] = Field(default=(), max_length=16)
    still_unseen: tuple[PlannedRegion, ...] = Field(default=(), max_length=64)
    organ: Organ
    laterality: Side | None = None
    withheld: bool = False

    @model_validator(mode="after")
    def _is_of_its_scheme(self) -> Self:
        if self.value is not None and self.value not in CATEGORIES[self.scheme]:
            raise ValueError(f"{self.scheme} has no such category")
        return self


class Risk(Part):
    """The probability that a finding is malignant, calibrated on lesions whose outcome is known, with its interval.

    It holds for a mix like the one that it was calibrated on: `lesions` of which the share `malignant_share` was
    malignant. Among screened women far fewer are, so that it is too high there until a site refits it: `shift` is what
    the site's own outcomes added to its logit (`Programme.calibration_shift`), 0 where none did. The interval is that
    of the calibration; how sure the shift is does not stand in it.
    """

    probability: Share
    ci95: tuple[Share, Share]
    calibration: Token
    lesions: Count
    malignant_share: Share
    shift: float = Field(default=0.0, ge=-10, le=10)

    @model_validator(mode="after")
    def _lies_in_its_interval(self) -> Self:
        if not self.ci95[0] <= self.probability <= self.ci95[1]:
            raise ValueError("a risk lies in its interval")
        return self


class Advice(Part):
    """What to do next, by a written rule, for a finding, for an organ, side and region, or for the screening where
    `organ` is None.

    `because` holds what the rule found. Where `withheld`, the rule is `clinical_advice` whatever was derived, place and
    finding are None and `because` is empty.
    """

    rule: Token
    because: tuple[Because, ...] = Field(default=(), max_length=256)
    organ: Organ | None = None
    laterality: Side | None = None
    region: Position | None = None
    finding_id: Sha256 | None = None
    withheld: bool = False
