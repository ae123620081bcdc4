"""Screenings of one network held against each other: windows, agreement, faults and what to look at. Pure.

Everything is written after it was sent, and made of rows and message alone: a crash in between makes the same again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from sonovan.clinical.quality.agreement import LEAST, MEAN_DICE, MEAN_IOU, SCREENINGS_REVIEWED, agreement
from sonovan.clinical.quality.drift import USUAL, DriftBounds, central, compare, drift_code, flags_of
from sonovan.contracts.because import Because
from sonovan.contracts.faults import FaultAlerted, MeasuredFault, fault_id
from sonovan.contracts.ids import minted_day
from sonovan.contracts.quality import (
    FEATURES,
    Agreement,
    Drift,
    Feature,
    Flagged,
    QualityMeasured,
    ScreeningObserved,
    Stratum,
    StratumLevel,
    Window,
)
from sonovan.contracts.record import Part
from sonovan.contracts.topics import Topic
from sonovan.stream_apps.quality.rows import AgreementRow, CountedRow, Scanner, WindowRow
from sonovan.stream_apps.stage import Outcome, Outgoing, Row

PartT = TypeVar("PartT", bound=Part)

LEVELS: Final[tuple[StratumLevel, ...]] = ("network", "van", "scanner", "source")
"""Agreement is told of each; drift of the last alone."""


@dataclass(frozen=True, slots=True)
class WatchBounds:
    """The sizes that `stream_apps/quality/settings.py:QualitySettings` has."""

    drift: DriftBounds = USUAL
    reference: int = 1
    flags_a_day: int = 20
    rolling: int = 200


@dataclass
class _Changes:
    """What one message leads to; rows are read as they will stand."""

    row: Row
    as_of: datetime
    rows: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    records: list[Outgoing] = field(default_factory=list)

    def read(self, kind: type[PartT], table: str, key: str) -> PartT:
        """A row, or an empty one."""
        data = self.rows[table, key] if (table, key) in self.rows else self.row(table, key)
        return kind() if data is None else kind.model_validate_json(data)

    def write(self, table: str, key: str, row: Part) -> None:
        """A row to write."""
        self.rows[table, key] = row.model_dump_json().encode()

    def tell(self, record: QualityMeasured | FaultAlerted) -> None:
        """A record to send."""
        if isinstance(record, QualityMeasured):
            self.records.append(Outgoing(Topic.QUALITY_MEASURED, record.key, record))
        else:
            self.records.append(Outgoing(Topic.FAULT_ALERTED, record.key.decode(), record))

    def fault(self, stratum: Stratum, code: MeasuredFault, because: tuple[Because, ...]) -> None:
        """A fault begins, or, without reasons, has ended."""
        name = fault_id(stratum.name, code)
        state = "raised" if because else "ended"
        self.tell(
            FaultAlerted(fault_id=name, measured=stratum, fault=code, state=state, because=because, as_of=self.as_of)
        )


def observed(record: ScreeningObserved, row: Row, as_of: datetime, bounds: WatchBounds) -> Outcome:
    """What one screening changes: its figures go into the window of its scanner, its reviews into the agreement.

    as_of: when the record was appended. A screening is counted once, whatever comes again; its reviews replace those
    that came before.
    """
    changes = _Changes(row, as_of)
    key = counted_key(record)
    counted = changes.read(CountedRow, "counted", key)
    if counted.erased:
        return Outcome()
    if record.erased:
        _forget(changes, record, key, counted, bounds)
    else:
        known = counted.model_copy(update={"scanner": _scanner(record, counted)})
        record = record.model_copy(update=known.scanner.model_dump())
        if record.values is not None and not counted.watched:
            _watch(changes, record, bounds)
            known = known.model_copy(update={"watched": True})
        if record.reviewed is not None:
            known = known.model_copy(update={"reviewed": record.reviewed})
        changes.write("counted", key, known)
        if record.reviewed is not None:
            for level in LEVELS:
                _agree(changes, record.stratum(level), key, bounds)
    rows = dict(changes.rows)
    published: Callable[[object], dict[tuple[str, str], bytes | None]] = lambda _offsets: rows  # noqa: E731
    return Outcome(records=(tuple(changes.records),) if changes.records else (), published=published)


def counted_key(record: ScreeningObserved) -> str:
    """The key of a screening's row in `counted`."""
    return f"{record.fingerprint}/{record.organ}/{record.van_id}/{record.screening_id}"


def _scanner(record: ScreeningObserved, counted: CountedRow) -> Scanner:
    """The scanner that a screening is counted under: the first one that was known of it, so that it never moves."""
    if counted.watched or counted.reviewed:
        return counted.scanner
    return Scanner(manufacturer=record.manufacturer, scanner_model=record.scanner_model)


def _watch(changes: _Changes, record: ScreeningObserved, bounds: WatchBounds) -> None:
    """Put a screening's figures into the window of its scanner on its van, and look at the window once it is full."""
    stratum, values = record.stratum("source"), record.by_feature
    key = f"{stratum.name}/{bounds.reference}"
    window = changes.read(WindowRow, "windows", key)
    flagged: list[Flagged] = []
    if record.look_at is not None:
        today = window.flags if window.flag_day == changes.as_of.date() else 0
        found = flags_of(record.screening_id, values, record.look_at, window.usual)
        flagged = found[: max(0, bounds.flags_a_day - today)]
        if flagged:
            window = window.model_copy(update={"flag_day": changes.as_of.date(), "flags": today + len(flagged)})
    if flagged:
        changes.tell(QualityMeasured(stratum=stratum, as_of=changes.as_of, flagged=tuple(flagged)))
    added: dict[Feature, tuple[float, ...]] = {
        feature: (*window.values.get(feature, ()), *((values[feature],) if feature in values else ()))
        for feature in FEATURES
    }
    day = minted_day(record.screening_id)
    days: dict[Feature, tuple[int, ...]] = {
        feature: (*window.days.get(feature, ()), *((day,) if feature in values else ())) for feature in FEATURES
    }
    window = window.model_copy(
        update={
            "values": added,
            "days": days,
            "screenings": window.screenings + 1,
            "began_at": window.began_at or changes.as_of,
        }
    )
    if window.screenings >= bounds.drift.window:
        window = _closed(changes, stratum, key, window, bounds)
    changes.write("windows", key, window)


def _closed(changes: _Changes, stratum: Stratum, key: str, window: WindowRow, bounds: WatchBounds) -> WindowRow:
    """Tell of a full window, and begin the next one."""
    is_reference = window.number <= bounds.drift.reference_windows
    predicted = window.values.get("predicted", ())
    drifts: tuple[Drift, ...] = ()
    if not is_reference:
        reference, days = _reference(changes, key, bounds)
        drifts = compare(reference, window.values, bounds.drift, (days, window.days))
    told = Window(
        number=window.number,
        screenings=window.screenings,
        reference=is_reference,
        began_at=window.began_at or changes.as_of,
        ended_at=changes.as_of,
        predicted=round(sum(predicted) / len(predicted), 4) if predicted else None,
        drifts=drifts,
    )
    changes.tell(QualityMeasured(stratum=stratum, as_of=changes.as_of, window=told))
    found = [each for each in drifts if each.drifted]
    if found and not window.drifted:
        reasons = tuple(
            Because(code=drift_code(each.feature), value=round(each.median - each.reference_median, 4))
            for each in found
        )
        changes.fault(stratum, "drift", reasons)
    if window.drifted and not found:
        changes.fault(stratum, "drift", ())
    following = WindowRow(
        number=window.number + 1,
        drifted=tuple(each.feature for each in found),
        usual=window.usual,
        flag_day=window.flag_day,
        flags=window.flags,
    )
    if is_reference:
        full = WindowRow(number=window.number, values=window.values, days=window.days)
        changes.write("windows", f"{key}/{window.number}", full)
        if window.number == bounds.drift.reference_windows:
            following = following.model_copy(update={"usual": central(_reference(changes, key, bounds)[0])})
    return following


def _reference(
    changes: _Changes, key: str, bounds: WatchBounds
) -> tuple[dict[Feature, list[float]], dict[Feature, list[int]]]:
    """The figures of the reference's screenings, and the day of each."""
    windows = [
        changes.read(WindowRow, "windows", f"{key}/{number}") for number in range(1, bounds.drift.reference_windows + 1)
    ]
    values = {feature: [value for each in windows for value in each.values.get(feature, ())] for feature in FEATURES}
    days = {feature: [day for each in windows for day in each.days.get(feature, ())] for feature in FEATURES}
    return values, days


def _agree(changes: _Changes, stratum: Stratum, counted: str, bounds: WatchBounds) -> None:
    """Tell the agreement of a stratum with this screening among its newest; look at it once enough are new.

    A look takes in only screenings that none before it did, so that looking again and again is not what finds a fault.
    """
    known = changes.read(AgreementRow, "windows", f"{stratum.name}/agreement")
    is_new = counted not in known.counted
    keys = known.counted if not is_new else (*known.counted, counted)[-bounds.rolling :]
    fresh = min(known.fresh + is_new, len(keys))
    figures = _figures(changes, keys)
    changes.tell(QualityMeasured(stratum=stratum, as_of=changes.as_of, agreement=figures))
    missed = known.missed
    looked = _figures(changes, keys[-fresh:]) if fresh >= LEAST else None
    if looked is not None and looked.verdict != "too_few":
        missed, fresh = looked.verdict == "missed", 0
        if missed and not known.missed:
            changes.fault(stratum, "agreement", _why(looked))
        if known.missed and not missed:
            changes.fault(stratum, "agreement", ())
    row = AgreementRow(counted=keys, fresh=fresh, missed=missed)
    changes.write("windows", f"{stratum.name}/agreement", row)


def _figures(changes: _Changes, keys: tuple[str, ...]) -> Agreement:
    return agreement([changes.read(CountedRow, "counted", key).reviewed for key in keys])


def _why(figures: Agreement) -> tuple[Because, ...]:
    return (
        Because(code=MEAN_DICE, value=figures.dice),
        Because(code=MEAN_IOU, value=figures.iou),
        Because(code=SCREENINGS_REVIEWED, value=figures.screenings),
    )


def _forget(changes: _Changes, record: ScreeningObserved, key: str, counted: CountedRow, bounds: WatchBounds) -> None:
    """Forget the reviews of a screening. Its figures stay in their window, where nothing says whose they are."""
    changes.write("counted", key, CountedRow(erased=True))
    if not counted.reviewed:
        return
    record = record.model_copy(update=counted.scanner.model_dump())
    for level in LEVELS:
        stratum = record.stratum(level)
        known = changes.read(AgreementRow, "windows", f"{stratum.name}/agreement")
        if key in known.counted:
            keys = tuple(each for each in known.counted if each != key)
            fresh = min(known.fresh, len(keys))
            after = known.model_copy(update={"counted": keys, "fresh": fresh})
            changes.write("windows", f"{stratum.name}/agreement", after)
            figures = _figures(changes, keys)
            changes.tell(QualityMeasured(stratum=stratum, as_of=changes.as_of, agreement=figures))
