"""What a reader concludes of a screening and signs: categories, words, recommendations, and what was looked at.

Nothing here is a sentence: the topic is kept for ever, and no text that a name fits may stand in it. What a page or a
report says is made of these codes in `sonovan.reports`.
"""

from typing import ClassVar, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from sonovan.contracts.comparisons import Comparison
from sonovan.contracts.lexicon import CATEGORIES, DESCRIPTORS, SCHEMES, Organ, Position, Scheme, Side, sides_of
from sonovan.contracts.limits import MAX_FRAMES, MAX_SEQUENCES
from sonovan.contracts.record import FrameId, Id, Moment, Number, Part, Record, Sha256, Token, VanId
from sonovan.contracts.words import OperatorCode

Role = Literal["first", "second", "arbitration"]
"""first: who reads it first. second: another reader, who reads it as well. arbitration: who decides between both."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)

AmendedBecause = Literal[
    "newer_revision", "overlooked", "misread", "side_mistaken", "entered_wrong", "outcome_known", "more_pictures",
]  # fmt: skip
"""Why a reader amends what was signed. A code, so that nothing in it can name her."""
AMENDED_BECAUSE: Final[tuple[AmendedBecause, ...]] = get_args(AmendedBecause)

WordVerdict = Literal["confirmed", "changed", "entered", "undetermined"]
"""confirmed: the word that the machine suggested. changed: another one. entered: the machine had suggested none.
undetermined: the reader looked and could not tell, so that the reader's defaults of TI-RADS apply."""

FindingVerdict = Literal["lesion", "no_lesion"]
"""Whether the reader takes what is outlined for a lesion."""

Action = Literal[
    "routine_screening", "follow_up", "scan_again", "mammography", "further_imaging", "fna", "tissue_diagnosis",
    "specialist", "treatment",
]  # fmt: skip
"""What the reader recommends, the most pressing last. follow_up: ultrasound again after some months. scan_again: by the
van, for what was not seen well enough. fna: fine needle aspiration. tissue_diagnosis: core biopsy. specialist: to be
seen by one whatever the picture shows, as for discharge. treatment: of what is proven."""
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

BreastBlock = Literal[
    "no_suspicious_finding", "simple_cysts", "complicated_cyst", "solid_likely_benign", "solid_suspicious",
    "non_mass_suspicious", "duct_ectasia", "calcifications_seen", "postoperative_change", "implant_seen",
    "lymph_nodes_unremarkable", "lymph_nodes_suspicious", "dense_tissue_limits", "not_fully_seen",
    "stable_to_earlier", "grown_since_earlier", "lump_without_correlate", "lump_with_correlate",
]  # fmt: skip
ThyroidBlock = Literal[
    "no_nodule", "nodule_benign_look", "nodule_to_follow", "nodule_suspicious", "several_nodules", "diffuse_change",
    "gland_enlarged", "gland_removed", "lymph_nodes_unremarkable", "lymph_nodes_suspicious", "not_fully_seen",
    "stable_to_earlier", "grown_since_earlier",
]  # fmt: skip
TextBlock = BreastBlock | ThyroidBlock
BLOCKS: Final[dict[Organ, tuple[TextBlock, ...]]] = {"breast": get_args(BreastBlock), "thyroid": get_args(ThyroidBlock)}
"""The text blocks of each organ, in the order in which they are offered and shown."""

MAX_READ: Final = 1000
"""Findings that one conclusion tells of."""


Contradiction = Literal[
    "side_not_concluded", "side_not_examined", "finding_not_judged", "sweep_not_opened", "newer_revision",
    "negative_with_lesion", "below_its_finding", "suspicious_word_below_4", "not_as_derived", "less_than_recommended",
    "nodule_undecided", "blocks_contradict", "not_seen_well_signed_negative", "own_signs_without_referral",
    "side_unknown",
]  # fmt: skip
"""What does not fit together in a conclusion, as the reader was shown it before signing
(`sonovan.clinical.contradictions` finds it). It never keeps anybody from signing.

side_not_concluded: pictures are there, and nothing is concluded. side_not_examined: it was planned, no picture of it
came, and nothing is concluded. nodule_undecided: the size or category of a nodule is not known, and its rule could ask
for more than is recommended."""


class Contradicts(Part):
    """One thing that does not fit. organ, laterality: of which side. number: of the finding in the revision, from 1."""

    code: Contradiction
    organ: Organ | None = None
    laterality: Side | None = None
    number: Number | None = None


class WordRead(Part):
    """What the reader said of one term of a finding.

    words: the reader's; several of echogenic foci alone, none where undetermined. suggested: the machine's word.
    """

    term: Token
    verdict: WordVerdict
    words: tuple[Token, ...] = Field(default=(), max_length=8)
    suggested: Token | None = None

    @model_validator(mode="after")
    def _has_words_unless_undetermined(self) -> Self:
        if bool(self.words) == (self.verdict == "undetermined"):
            raise ValueError("a term has words, or is undetermined")
        if self.verdict == "confirmed" and self.words != (self.suggested,):
            raise ValueError("what is confirmed is the word that was suggested")
        if (self.verdict == "changed" and self.suggested is None) or (self.verdict == "entered" and self.suggested):
            raise ValueError("what is changed was suggested, and what is entered was not")
        return self


class CategoryRead(Part):
    """The category that the reader chose. derived, points: what the words come to by the scheme's rule, where it has
    one."""

    scheme: Scheme
    value: Token
    edition: Token | None = None
    derived: Token | None = None
    points: int | None = Field(default=None, ge=-1, le=32)

    @model_validator(mode="after")
    def _is_of_its_scheme(self) -> Self:
        if not {self.value, self.derived or self.value} <= set(CATEGORIES[self.scheme]):
            raise ValueError(f"{self.scheme} has no such category")
        return self


class FindingRead(Part):
    """What the reader says of one finding of the revision, or of one that the machine did not outline.

    finding_id: None for the reader's own, which `frame_id` shows. largest_mm: as the reader measured it, None where the
    machine's measure stands.
    """

    finding_id: Sha256 | None
    organ: Organ
    laterality: Side | None
    verdict: FindingVerdict
    frame_id: FrameId | None = None
    position: Position | None = None
    largest_mm: float | None = Field(default=None, gt=0, le=250)
    words: tuple[WordRead, ...] = Field(default=(), max_length=32)
    categories: tuple[CategoryRead, ...] = Field(default=(), max_length=4, description="one of each scheme at most")

    @model_validator(mode="after")
    def _speaks_the_lexicon(self) -> Self:
        terms = DESCRIPTORS[self.organ]
        for each in self.words:
            term = terms.get(each.term)
            if term is None or not {*each.words, *([each.suggested] if each.suggested else ())} <= set(term.words):
                raise ValueError(f"the lexicon of the {self.organ} has no such word")
        if len({each.term for each in self.words}) < len(self.words):
            raise ValueError("a term stands twice")
        _check_categories(self.organ, self.categories)
        if self.finding_id is None and (self.frame_id is None or self.verdict != "lesion"):
            raise ValueError("a finding of the reader's own is a lesion on a frame")
        return self


class Recommended(Part):
    """What shall be done about one side. months: until then; of a follow-up alone."""

    action: Action
    months: int | None = Field(default=None, ge=1, le=60)

    @model_validator(mode="after")
    def _says_when_to_follow_up(self) -> Self:
        if (self.months is not None) != (self.action == "follow_up"):
            raise ValueError("a follow-up says after how many months, and nothing else does")
        return self


class SideConcluded(Part):
    """One organ and side: the reader's categories, text blocks and recommendation.

    laterality: None where no side is recorded. categories: one of each scheme at most; of a breast always BI-RADS, of a
    lobe without a nodule none.
    """

    organ: Organ
    laterality: Side | None
    categories: tuple[CategoryRead, ...] = Field(default=(), max_length=4)
    blocks: tuple[TextBlock, ...] = Field(default=(), max_length=16)
    recommended: Recommended

    @model_validator(mode="after")
    def _is_of_its_organ(self) -> Self:
        if self.laterality is not None and self.laterality not in sides_of(self.organ):
            raise ValueError("the organ has no such side")
        _check_categories(self.organ, self.categories)
        if self.organ == "breast" and not self.categories:
            raise ValueError("a breast has its category")
        if self.organ == "thyroid" and not self.categories and "no_nodule" not in self.blocks:
            raise ValueError("a lobe has its category, or the block `no_nodule`")
        if not set(self.blocks) <= set(BLOCKS[self.organ]) or len(set(self.blocks)) < len(self.blocks):
            raise ValueError("a text block is of its organ, and stands once")
        return self

    def category(self, scheme: Scheme) -> str | None:
        """The value of one scheme, None where the reader gave none."""
        return next((each.value for each in self.categories if each.scheme == scheme), None)


class SweepLookedAt(Part):
    """How much of a sweep was on the reader's screen: of so many frames that were there, so many different ones."""

    sequence_id: Id
    frames: int = Field(ge=0, le=MAX_FRAMES)
    frames_seen: int = Field(ge=0, le=MAX_FRAMES)

    @model_validator(mode="after")
    def _is_a_part(self) -> Self:
        if self.frames_seen > self.frames:
            raise ValueError("more frames were seen than there are")
        return self

    @property
    def share(self) -> float:
        """Of its frames that were seen; 0 where there is none."""
        return self.frames_seen / self.frames if self.frames else 0.0


class ScreeningConcluded(Record):
    """A reader has signed: what the screening shows and what shall be done.

    `conclusion_number` counts the conclusions of a screening upward from 1, whoever signs them. Of each role the one
    with the highest number counts, and of equal numbers the one with the higher `conclusion_id`. An amendment is a
    whole conclusion that names the one that it replaces, in the same role, and why.
    revision_id, revision_number: what was read. rules_version: of the rules that derived what was shown beside it.
    despite: what does not fit together, which the reader saw and signed all the same.
    comparison: with her earlier screening, as it was shown to the reader; None where there was none.
    claim: the reader's claim on the screening, by which nobody else signed it meanwhile. opened_at: when the reader
    opened it. by: the reader's code, never a name.
    """

    schema_name: ClassVar[str] = "screening.concluded"
    schema_version: ClassVar[str] = "1.1"

    conclusion_id: Id
    screening_id: Id
    van_id: VanId
    conclusion_number: Number
    role: Role
    amends: Id | None = None
    because: AmendedBecause | None = None
    revision_id: Sha256
    revision_number: Number
    rules_version: Token
    sides: tuple[SideConcluded, ...] = Field(min_length=1, max_length=16)
    findings: tuple[FindingRead, ...] = Field(default=(), max_length=MAX_READ)
    looked_at: tuple[SweepLookedAt, ...] = Field(default=(), max_length=MAX_SEQUENCES)
    despite: tuple[Contradicts, ...] = Field(default=(), max_length=MAX_READ)
    comparison: Comparison | None = None
    claim: Id | None = None
    by: OperatorCode
    opened_at: Moment | None = None
    signed_at: Moment

    @model_validator(mode="after")
    def _says_why_it_amends(self) -> Self:
        if (self.amends is None) != (self.because is None):
            raise ValueError("an amendment names the conclusion that it replaces, and says why")
        if self.amends is not None and self.conclusion_number == 1:
            raise ValueError("the first conclusion amends none")
        return self

    @model_validator(mode="after")
    def _tells_of_each_thing_once(self) -> Self:
        sides = [(each.organ, each.laterality) for each in self.sides]
        if len(set(sides)) < len(sides):
            raise ValueError("a side stands twice")
        if not {(each.organ, each.laterality) for each in self.findings} <= set(sides):
            raise ValueError("a finding is on a side that is not concluded")
        known = [each.finding_id for each in self.findings if each.finding_id is not None]
        if len(set(known)) < len(known):
            raise ValueError("a finding stands twice")
        return self

    def side(self, organ: Organ, laterality: Side | None) -> SideConcluded | None:
        """What is concluded of one side, None where nothing is."""
        return next((each for each in self.sides if (each.organ, each.laterality) == (organ, laterality)), None)


def _check_categories(organ: Organ, categories: tuple[CategoryRead, ...]) -> None:
    schemes = [each.scheme for each in categories]
    if not set(schemes) <= set(SCHEMES[organ]) or len(set(schemes)) < len(schemes):
        raise ValueError("a category is of a scheme of its organ, and each scheme has one")
