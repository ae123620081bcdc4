"""The whole path in one process: the same steps as the workers', over a log in memory and a store of objects.

No service runs. What a van would sign and send is signed and taken in here, so that a record, a rejection and a
`revision_id` are those that the streamed path gives for the same input, ids, weights and provider.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.derivation import Programme
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.record import Record
from sonovan.contracts.results import IntendedUse, ScreeningAssessed, ScreeningTicked
from sonovan.contracts.settings import read_settings
from sonovan.contracts.signatures import generate_key, public_key
from sonovan.contracts.topics import TOPICS, Topic
from sonovan.contracts.van import VanEnrolled
from sonovan.producers.items import Ids, Item, Signer, Visit
from sonovan.producers.screening import Composed, compose
from sonovan.producers.sources import Source
from sonovan.reports.document import Identity
from sonovan.reports.phrases import Language
from sonovan.scratch import Scratch
from sonovan.storage.stores import ObjectStore
from sonovan.stored import StoredResults
from sonovan.stream_apps.alert.step import RuleSet, alerts_of
from sonovan.stream_apps.assess.report import store_report
from sonovan.stream_apps.assess.settings import ProgrammeSettings
from sonovan.stream_apps.assess.step import assess
from sonovan.stream_apps.rejecting import Coordinates, message_key, reject
from sonovan.stream_apps.segment.same_pixels import SamePixels
from sonovan.stream_apps.segment.step import LoadedNetwork, SegmentedFrame, put_objects, segment_envelope
from sonovan.stream_apps.stage import Message
from sonovan.stream_apps.vans import VanRegistry

VAN_ID = "embedded"
_NEVER = timedelta(days=365 * 100)
"""The wait for what is missing: it ends when everything is composed, not at a time."""
_SHOWS: Final[frozenset[Identity]] = frozenset({"examined_on"})
"""The files lie on this machine anyway, and no site is asked what its reports may show."""


@dataclass(slots=True)
class Screened:
    """What one embedded screening came to. alerts and rejected are in the order in which they arose.

    frames: in the order of their ids, each read from the scratch file when it is asked for.
    """

    composed: Composed
    frames: StoredResults
    revisions: list[ScreeningAssessed] = field(default_factory=list)
    alerts: list[LesionAlerted] = field(default_factory=list)
    rejected: list[RecordRejected] = field(default_factory=list)

    @property
    def last(self) -> ScreeningAssessed | None:
        """The newest revision; None where nothing could be read."""
        return self.revisions[-1] if self.revisions else None


class EmbeddedCentre:
    """Segment, assess and alert, driven by hand: what is put in is through all of them when `put` returns."""

    def __init__(
        self,
        segmenter: LoadedNetwork,
        scratch: Scratch,
        signer: Signer,
        *,
        store: ObjectStore | None = None,
        report_for: IntendedUse | None = None,
        alert_settings: AlertSettings | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        language: Language = "en",
        programme: Programme | None = None,
        despeckled: bool = False,
    ) -> None:
        """scratch: keeps the rows, and what is stored where there is no `store`: no pixels then.

        report_for: the intended use of the reports that go into the store; None stores none.
        language: of their pages. despeckled: the key frames on them. now: the broker's clock. programme: None takes
        SONOVAN_PROGRAMME_*.
        """
        self._segmenter, self._scratch, self._report_for = segmenter, scratch, report_for
        self._same = SamePixels()
        self._store: ObjectStore = scratch if store is None else store
        self._rules, self._now = RuleSet.of(alert_settings or AlertSettings()), now
        self._language, self._despeckled = language, despeckled
        self._programme = programme or read_settings(ProgrammeSettings).programme
        self._incomplete_after = _NEVER
        self._vans = VanRegistry()
        self._vans.learn(VanEnrolled.first(signer.van_id, public_key(signer.private_key), now()))
        self._ends = dict.fromkeys(Topic, 0)
        self.newest: SegmentedFrame | None = None
        self.revisions: list[ScreeningAssessed] = []
        self.alerts: list[LesionAlerted] = []
        self.rejected: list[RecordRejected] = []

    def put(self, item: Item) -> None:
        """Take in what a van would send. Held items are taken in too: nothing leaves this machine.

        `newest` is the item's result afterwards; None where it is no frame, or one that was rejected.
        """
        self.newest = None
        self._append(item.topic, item.key, item.value)

    def deadline(self, screening_id: str) -> None:
        """Everything that will come has come: what is missing now is listed."""
        self._incomplete_after = timedelta(0)
        self._say(Topic.SCREENING_TICKED, screening_id, ScreeningTicked(screening_id=screening_id))

    def _append(self, topic: Topic, key: bytes, value: bytes) -> None:
        at = Coordinates(topic, 0, self._ends[topic], self._now())
        self._ends[topic] += 1
        if topic is Topic.FRAME_CAPTURED:
            self._run("segment", at, value, partial(self._segment, value, key, at))
        else:
            self._run("assess", at, value, partial(self._assess, Message(at, key, value)))

    def _run(self, stage: str, at: Coordinates, value: bytes, step: Callable[[], None]) -> None:
        try:
            step()
        except InvalidRecord as error:
            rejection = reject(stage, error, at, value)
            kept = rejection.quarantine
            if rejection.record.kept:
                self._store.put(kept.bucket, kept.key, kept.data, kept.content_type)
            self.rejected.append(rejection.record)
            self._append(Topic.RECORD_REJECTED, message_key(rejection.record).encode(), rejection.record.encode())

    def _segment(self, value: bytes, key: bytes, at: Coordinates) -> None:
        frame = segment_envelope(
            value, append_time=at.appended_at, registry=self._vans, segmenter=self._segmenter, key=key, same=self._same
        )
        put_objects(self._store, frame)
        self._say(Topic.FRAME_SEGMENTED, frame.record.screening_id, frame.record)
        self.newest = frame

    def _assess(self, message: Message) -> None:
        taken = assess(message, self._scratch.row, self._vans.verify, self._incomplete_after, self._programme)
        revision = taken.decided.revision
        if revision is not None:
            assessed = revision.assessed
            if self._report_for is not None:
                assessed = store_report(
                    revision, self._store, self._report_for, self._language, _SHOWS, despeckled=self._despeckled
                )
            self.revisions.append(assessed)
            known = {alert.alert_id: alert for alert in self.alerts}
            self.alerts += alerts_of(assessed, known, self._rules)
        for (table, key), data in (*taken.received.items(), *taken.published.items()):
            self._scratch.write(table, key, data)

    def _say(self, topic: Topic, key: str, record: Record) -> None:
        self._append(topic, key.encode(), TOPICS[topic].value.decode(record.encode()).encode())


def screen(
    sources: Sequence[Source],
    visit: Visit,
    *,
    segmenter: LoadedNetwork,
    store: ObjectStore,
    intended_use: IntendedUse,
    ids: Ids | None = None,
    alert_settings: AlertSettings | None = None,
    progress: Callable[[int], None] = lambda _frames: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    language: Language = "en",
    despeckled: bool = False,
) -> Screened:
    """Run one screening through the whole path. Nothing leaves this machine, so no frame is held for burned-in text.

    ids: to give this run the names of another. language: of the report's page. despeckled: its key frames.

    Raises InvalidRecord only for what `compose` refuses as a whole,
    Transient where the store's disk fails, Fatal where the network may not be trusted.
    """
    signer = Signer(VAN_ID, generate_key())
    scratch = Scratch()
    centre = EmbeddedCentre(
        segmenter,
        scratch,
        signer,
        store=store,
        report_for=intended_use,
        alert_settings=alert_settings,
        now=now,
        language=language,
        despeckled=despeckled,
    )
    composed = compose(sources, visit, signer, centre.put, ids=ids, now=now, progress=progress, leaves=False)
    return screened_by(centre, composed, scratch)


def screened_by(centre: EmbeddedCentre, composed: Composed, scratch: Scratch) -> Screened:
    """What a centre came to once everything is composed: what is missing is listed, nothing more is waited for."""
    if composed.sequences and (not centre.revisions or centre.revisions[-1].status != "complete"):
        centre.deadline(composed.screening_id)
    if composed.sequences and not centre.revisions:
        raise Fatal("the screening was taken in and no revision came out: this is a defect")
    return Screened(composed, StoredResults(scratch), centre.revisions, centre.alerts, centre.rejected)
