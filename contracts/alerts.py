"""Alerts: what somebody must be told, about a finding, a side of the body, a screening or a van."""

from typing import Annotated, ClassVar, Final, Literal, Self, assert_never, get_args

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import Organ, Side
from sonovan.contracts.limits import MAX_SIGHTINGS
from sonovan.contracts.record import Id, Moment, ObjectKey, Part, Record, Sha256, Token, VanId

Severity = Literal["worklist", "suspicious", "urgent"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""From the one that can wait longest to the one that cannot wait."""

AboutKind = Literal["finding", "side", "screening", "van"]


class AboutFinding(Part):
    """The alert is about one lesion. Organ and side are those of the finding when the alert was raised."""

    kind: Literal["finding"] = "finding"
    finding_id: Sha256
    organ: Organ
    laterality: Side | None


class AboutSide(Part):
    """The alert is about one side of an organ in one screening; `laterality` is None where no side is recorded."""

    kind: Literal["side"] = "side"
    organ: Organ
    laterality: Side | None


class AboutScreening(Part):
    """The alert is about the screening as a whole."""

    kind: Literal["screening"] = "screening"


class AboutVan(Part):
    """The alert is about a van, whichever of its screenings gave rise to it."""

    kind: Literal["van"] = "van"
    van_id: VanId


About = Annotated[AboutFinding | AboutSide | AboutScreening | AboutVan, Field(discriminator="kind")]


def about_key(screening_id: str, about: About) -> str:
    """One spelling for everything that an alert of this screening may be about; equal only for the same thing."""
    match about:
        case AboutFinding():
            return f"finding:{about.finding_id}"
        case AboutSide():
            return f"side:{screening_id}:{about.organ}:{about.laterality or 'none'}"
        case AboutScreening():
            return f"screening:{screening_id}"
        case AboutVan():
            return f"van:{about.van_id}"
        case _:
            assert_never(about)


class Evidence(Part):
    """A stored object that an alert rests on. `sha256` is of its bytes: who reads it refuses one that is another."""

    key: ObjectKey
    sha256: Sha256


class LesionAlerted(Record):
    """One alert, or its withdrawal. No personal data: who the woman is stands nowhere here.

    `alert_id` is the same for every record of one rule about one thing (`sonovan.contracts.ids.alert_id`): when it is
    raised, raised again with a higher severity, and withdrawn. `screening_id` and `revision_id` name the revision that
    gave rise to this record, for an alert about a van too. `because` says why it was raised, or why it is withdrawn.
    """

    schema_name: ClassVar[str] = "lesion.alerted"

    alert_id: Sha256
    screening_id: Id
    revision_id: Sha256
    about: About
    state: Literal["raised", "withdrawn"]
    severity: Severity
    rule: Token
    because: tuple[Because, ...] = Field(max_length=256, description="never empty on the topic")
    withheld: bool = Field(default=False, description="never on the topic; where alerts are shown without all reasons")
    evidence: tuple[Evidence, ...] = Field(max_length=2 * MAX_SIGHTINGS + 1)
    as_of: Moment

    @model_validator(mode="after")
    def _has_reasons(self) -> Self:
        if not self.because and not self.withheld:
            raise ValueError("an alert needs a reason")
        return self
