"""Who is told of an alert and when: the ladder of a severity, and the hours in which it does not call anybody. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, field_validator, model_validator

from sonovan.contracts.alerts import SEVERITIES, Severity
from sonovan.contracts.record import Part
from sonovan.storage.outbox import Call

TOPIC: Final = "topic"
"""The topic of alerts: told everything, at once."""
WEBHOOK: Final = "webhook"
"""The receiver whose address stands in the environment."""

RecipientName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class QuietHours(Part):
    """When nobody is called: what falls due from `start` on is told at `end`, each day, by the clock of `zone`.

    hold: the severities that wait; what is not named is told at any hour.
    """

    start: time = Field(alias="from")
    end: time = Field(alias="to")
    zone: str
    hold: tuple[Severity, ...] = ("worklist", "suspicious")

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError):
            raise ValueError("is no time zone that this machine knows, such as Asia/Shanghai") from None
        return value

    @model_validator(mode="after")
    def _have_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("from and to are the same")
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("from and to are times of the zone, such as 20:00")
        return self

    def after(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours that it falls into."""
        zone = ZoneInfo(self.zone)
        local = moment.astimezone(zone)
        over_midnight = self.start > self.end
        late, early = local.time() >= self.start, local.time() < self.end
        if not (late or early if over_midnight else late and early):
            return moment
        day = local.date() + timedelta(days=1 if over_midnight and late else 0)
        return datetime.combine(day, self.end, zone).astimezone(UTC)


class Rung(Part):
    """Who is told of an alert of this severity when nobody has answered for so long; 0 minutes are those told first."""

    severity: Severity
    after_min: Annotated[int, Field(ge=0, le=30 * 24 * 60)] = 0
    to: tuple[RecipientName, ...] = Field(min_length=1, max_length=16)

    @field_validator("to")
    @classmethod
    def _name_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("names somebody twice")
        if TOPIC in names:
            raise ValueError("the topic is told everything, and stands on no rung")
        return names


def check_order(rungs: Sequence[Rung]) -> None:
    """Raise ValueError unless each rung of a severity is later than the one before."""
    for severity in SEVERITIES:
        times = [rung.after_min for rung in rungs if rung.severity == severity]
        if sorted(set(times)) != times:
            raise ValueError(f"the rungs of {severity} stand in no order: each is later than the one before")


class Ladder(Part):
    """The rungs of every severity, each severity's in their order."""

    rungs: tuple[Rung, ...] = ()
    quiet: QuietHours | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        check_order(self.rungs)
        return self

    def of(self, severity: Severity) -> list[Rung]:
        """The rungs of one severity."""
        return [rung for rung in self.rungs if rung.severity == severity]

    @property
    def names(self) -> frozenset[str]:
        """Everybody on any rung."""
        return frozenset(name for rung in self.rungs for name in rung.to)

    def calls(self, severity: Severity, at: datetime) -> tuple[Call, ...]:
        """When everybody is told of an alert that is raised at that time and that nobody answers.

        Each rung counts from when the one before was told: what waited for the morning leaves its time to answer.
        """
        calls, due, before = [Call(TOPIC, at)], at, 0
        for number, rung in enumerate(self.of(severity)):
            due = self.awake(due + timedelta(minutes=rung.after_min - before), severity)
            before = rung.after_min
            calls += [Call(name, due, number) for name in rung.to]
        return tuple(calls)

    def follow(self, severity: Severity, at: datetime) -> Mapping[str, datetime]:
        """When everybody but the topic may be told what became of an alert."""
        return dict.fromkeys(sorted(self.names), self.awake(at, severity))

    def awake(self, moment: datetime, severity: Severity) -> datetime:
        """`moment`, or the end of the quiet hours in which this severity waits."""
        waits = self.quiet is not None and severity in self.quiet.hold
        return self.quiet.after(moment) if self.quiet is not None and waits else moment
