"""Alerts: what somebody must be told, about a finding, a side of the body, a screening or a van; and who answered."""

from typing import Annotated, ClassVar, Final, Literal, Self, assert_never, get_args

from pydantic import Field, model_validator

from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import Organ, Scheme, Side
from sonovan.contracts.limits import MAX_SIGHTINGS
from sonovan.contracts.record import Id, Moment, ObjectKey, Part, Record, Sha256, Token, VanId
from sonovan.contracts.results import Member
from sonovan.contracts.words import OperatorCode

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


class ToldOf(Part):
    """What was told of a lesion: a later revision that differs calls for a correction.

    long_axis_mm, long_axis_px: of its best sighting. categories: suggested ones, at most one of each scheme.
    regions: the key region of each sighting, the best first: the lesion is known again by them in a later revision.
    """

    long_axis_mm: float | None
    long_axis_px: float
    categories: tuple[tuple[Scheme, Token], ...] = Field(default=(), max_length=4)
    regions: tuple[Member, ...] = Field(default=(), max_length=MAX_SIGHTINGS)


AlertState = Literal["raised", "acknowledged", "corrected", "vanished", "withdrawn"]


class LesionAlerted(Record):
    """One alert, or what became of it. No personal data: who the woman is stands nowhere here.

    `alert_id` is the same for every record of one rule about one thing (`sonovan.contracts.ids.alert_id`). It stays
    where the lesion becomes another finding, which `about` then names.
    `screening_id` and `revision_id` name the revision that gave rise to this record, for an alert about a van too.
    rules_version: of the rules that the site had set then.

    state: `raised`; raised again with a higher severity or category. `acknowledged`: somebody sees to it, and nobody
    else is called. `corrected`: what was told of the lesion has changed. `withdrawn`: its cause is gone. `vanished`:
    its cause is gone, and it stands all the same, since somebody had acknowledged it.
    `because` says why it was raised; where corrected, first what has changed and then why it stands; where its cause is
    gone, why. `raised_in` is the revision that raised it, or, of an alert on what a reader signed, a sha256 of the
    conclusion's id; with the alert's id it names what is answered.
    `acknowledged_by` and `acknowledged_at` stay with the alert until it is raised again.
    """

    schema_name: ClassVar[str] = "lesion.alerted"

    alert_id: Sha256
    screening_id: Id
    revision_id: Sha256
    raised_in: Sha256
    about: About
    state: AlertState
    severity: Severity
    rule: Token
    rules_version: Token
    because: tuple[Because, ...] = Field(max_length=256, description="never empty on the topic")
    withheld: bool = Field(default=False, description="never on the topic; where alerts are shown without all reasons")
    evidence: tuple[Evidence, ...] = Field(max_length=2 * MAX_SIGHTINGS + 1)
    lesion: ToldOf | None = Field(default=None, description="None where it is about something else")
    acknowledged_by: Token | None = Field(default=None, description="a code of the site, never a name")
    acknowledged_at: Moment | None = None
    as_of: Moment

    @model_validator(mode="after")
    def _has_reasons(self) -> Self:
        if not self.because and not self.withheld:
            raise ValueError("an alert needs a reason")
        return self

    @model_validator(mode="after")
    def _is_answered_by_somebody(self) -> Self:
        if (self.acknowledged_by is None) != (self.acknowledged_at is None):
            raise ValueError("whoever acknowledged did so at a time")
        if self.state in ("acknowledged", "vanished") and self.acknowledged_by is None:
            raise ValueError("somebody acknowledged it")
        return self


class AlertAcknowledged(Record):
    """Somebody sees to an alert: nobody else is called.

    raised_in: as in what was answered, so that it is no answer to an alert that was raised again since.
    by: a code of the site for who answered, never a name.
    """

    schema_name: ClassVar[str] = "alert.acknowledged"

    alert_id: Sha256
    screening_id: Id
    raised_in: Sha256
    by: Token


class HandedOver(Part):
    """Somebody else sees to the alert from now on. to: a code of the site, never a name."""

    kind: Literal["handed_over"] = "handed_over"
    to: OperatorCode


ClosedBecause = Literal[
    "reached", "attended", "referred", "refused", "not_reachable", "signed_negative", "scanned_again",
    "raised_by_mistake",
]  # fmt: skip
"""What came of an alert: she was told, came, was referred, does not want to, or cannot be reached; a reader signed that
nothing has to be done; the side was scanned again; or it should never have been raised."""
CLOSED_BECAUSE: Final[tuple[ClosedBecause, ...]] = get_args(ClosedBecause)


class Closed(Part):
    """Nobody has to see to the alert any more, for this reason."""

    kind: Literal["closed"] = "closed"
    because: ClosedBecause


class AlertHandled(Record):
    """What somebody did with an alert: handed it over, or closed it with what came of it. Either answers it as well.

    raised_in: as in what is answered, so that it says nothing of an alert that was raised again since: that one is open
    again. by: the code of whoever did it, never a name.
    """

    schema_name: ClassVar[str] = "alert.handled"

    alert_id: Sha256
    screening_id: Id
    raised_in: Sha256
    step: Annotated[HandedOver | Closed, Field(discriminator="kind")]
    by: OperatorCode
    handled_at: Moment
