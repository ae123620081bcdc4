"""`analyse` for what is there already, `Analyser` for a live loop: frames in, findings out, no service.

from sonovan import Analyser, analyse

analysis = analyse("sweep.dcm", organ="breast", side="left")
for finding in analysis.findings:
    print(finding.best.key_frame_id, finding.best.long_axis_mm, finding.best.score_mean)

with Analyser(organ="breast", side="left", pixel_spacing_mm=0.1) as analyser:  # the weights are loaded here, once
    for pixels in camera:
        result = analyser.push(pixels)
analysis = analyser.close()
"""

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from sonovan.analysis import Analysis, analysis_of, anonymous_visit, here_only, load_segmenter
from sonovan.clinical.advice import withhold_frame
from sonovan.contracts.errors import InvalidRecord
from sonovan.contracts.frames import FrameSegmented, Region
from sonovan.contracts.results import IntendedUse
from sonovan.contracts.settings import read_settings
from sonovan.contracts.signatures import generate_key
from sonovan.embedded import VAN_ID, EmbeddedCentre, screened_by
from sonovan.inputs import Frames, checked_picture, sources_of
from sonovan.models.masks import decode_mask
from sonovan.producers.items import Ids, Signer, Visit, mint_ids
from sonovan.producers.ledger import MemoryLedger
from sonovan.producers.plan import planned_regions
from sonovan.producers.screening import Screening, compose_sequence, planned
from sonovan.producers.sources import CapturedFrame, CaptureOptions, Source, capture_options
from sonovan.producers.sources.source import whole_panel
from sonovan.scratch import Scratch
from sonovan.settings import FaceSettings
from sonovan.stream_apps.segment.step import LoadedNetwork
from sonovan.variables import refuse_unknown_variables

_LIVE: Final = Path("live")


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """What was seen in one pushed frame. Unsigned: a machine's reading, never a result.

    record: as it stands in `Analysis.frames`. mask_png: the label mask, coded; None where nothing was outlined.
    """

    record: FrameSegmented
    mask_png: bytes | None = field(repr=False)

    @property
    def frame_index(self) -> int:
        """The frame's place in the sweep, from 0."""
        return self.record.frame_index

    @property
    def assessable(self) -> bool:
        """Whether the frame could be judged; `record.not_assessable_reason` says why not."""
        return self.record.assessable

    @property
    def regions(self) -> tuple[Region, ...]:
        """What was outlined, largest first; coordinates are those of the pushed frame."""
        return self.record.regions

    @property
    def mask(self) -> NDArray[np.uint8]:
        """(rows, columns) uint8, the region's ordinal + 1, 0 for nothing; decoded at every call."""
        if self.mask_png is None:
            return np.zeros((self.record.rows, self.record.columns), np.uint8)
        return decode_mask(self.mask_png)


class Analyser:
    """One sweep of one side, frame by frame, as a device delivers it. To be used from one thread at a time.

    Of every frame the result and the label mask are kept, in a temporary file; pixels are let go (decision 0025 has
    the bytes). The steps are those of the stream, and so is the `revision_id`.
    """

    def __init__(
        self,
        *,
        organ: str,
        side: str | None = None,
        plan: Sequence[str] | None = None,
        view: str | None = None,
        position: str | None = None,
        nipple_distance_mm: float | None = None,
        pixel_spacing_mm: float | None = None,
        features: Mapping[str, Any] | None = None,
        ids: Ids | None = None,
        model_id: str | None = None,
        network: LoadedNetwork | None = None,
        intended_use: IntendedUse | None = None,
    ) -> None:
        """organ, side, … intended_use: as for `analyse`. network: one that is loaded already (`sonovan.models.load`),
        to share it among many sweeps; None loads `model_id`.

        Raises InvalidRecord for an option that is wrong, ValueError for `ids` of more than one sequence, Fatal for
        weights that do not fit their sha256, a provider that is not there or an unknown SONOVAN_ variable.
        """
        options = capture_options(
            organ=organ,
            side=side,
            view=view,
            position=position,
            nipple_distance_mm=nipple_distance_mm,
            pixel_spacing_mm=pixel_spacing_mm,
        )
        source = _live_source(options)
        names = ids or mint_ids(1)
        if len(names.sequence_ids) != 1:
            raise ValueError(f"{len(names.sequence_ids)} sequence ids for one sweep")
        visit = anonymous_visit(features, planned_regions(plan, [source.organ]))
        self._start((source,), visit, names.screening_id, model_id, network, intended_use)
        self._options = options
        self._sequence = self._screening.begin(source, names.sequence_ids[0])

    def _start(
        self,
        sources: Sequence[Source],
        visit: Visit,
        screening_id: str,
        model_id: str | None,
        network: LoadedNetwork | None,
        intended_use: IntendedUse | None,
    ) -> None:
        refuse_unknown_variables()
        self._use: IntendedUse = intended_use or read_settings(FaceSettings).intended_use
        signer = Signer(VAN_ID, generate_key())
        self._scratch = Scratch()
        self._centre = EmbeddedCentre(network or load_segmenter(model_id), self._scratch, signer)
        ledger = MemoryLedger(self._centre.put)
        self._screening = Screening(ledger, signer, screening_id, visit.consent, planned(visit, sources))
        self._closed = self._failed = False
        self._analysis: Analysis | None = None

    def push(self, frame: NDArray[np.uint8] | NDArray[np.uint16], time_ms: float | None = None) -> FrameResult:
        """Segment the next frame and keep what was found.

        frame: (rows, columns) grey or (rows, columns, 3) red, green, blue; uint8 or uint16; at least 32 pixels a side.
        time_ms: since the sweep's first frame, where known.
        Raises InvalidRecord for an array of another shape or type, or a time that is none: the frame is then no part
        of the sweep; InvalidRecord for a frame that is too large once coded, which counts as set aside; ValueError
        after `close`.
        """
        if self._closed:
            raise ValueError("this Analyser is closed: make another one for the next sweep")
        pixels = checked_picture(frame)
        if time_ms is not None:
            if not isinstance(time_ms, Real) or not 0 <= time_ms < math.inf:
                message = f"time_ms: {time_ms!r}; give milliseconds since the sweep's first frame"
                raise InvalidRecord("record_invalid", message)
            time_ms = float(time_ms)
        options = self._options
        panel = whole_panel(pixels.shape[0], pixels.shape[1], options.pixel_spacing_mm, options.side)
        trouble = self._sequence.add(CapturedFrame(self._sequence.frames, time_ms, pixels, (panel,)))
        if trouble is not None:
            raise trouble
        found = self._centre.newest
        if found is None:
            rejected = self._centre.rejected[-1]
            raise InvalidRecord(rejected.reason, f"frame {self._sequence.frames - 1} could not be used")
        mask = next((each.data for each in found.objects if each.key == found.record.mask_key), None)
        return FrameResult(withhold_frame(found.record, self._use), mask)

    @property
    def kept_bytes(self) -> int:
        """Bytes of results, label masks and rows in the temporary file so far."""
        return self._scratch.kept_bytes()

    def close(self) -> Analysis:
        """The sweep's reading; called again, the same one.

        Raises InvalidRecord `no_frames` where none was pushed, ValueError where an error ended the `with` block.
        """
        if self._analysis is None:
            if self._closed and (self._failed or self._sequence.frames):
                raise ValueError("an error ended this Analyser before it was closed")
            self._closed = True
            self._sequence.end()
            self._analysis = self._read_out(())
        return self._analysis

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._sequence.frames:
            self.close()
        self._closed = True
        self._failed = kind is not None

    def _read_out(self, refused: tuple[InvalidRecord, ...]) -> Analysis:
        screened = screened_by(self._centre, self._screening.close(), self._scratch)
        return analysis_of(screened, refused, self._scratch, self._use)

    @classmethod
    def _over(
        cls,
        sources: Sequence[Source],
        refused: tuple[InvalidRecord, ...],
        ids: Ids,
        visit: Visit,
        model_id: str | None,
        intended_use: IntendedUse | None,
        progress: Callable[[int], None],
    ) -> Analysis:
        """Every frame of the sources, each a sequence of its own, as if they were pushed."""
        self = cls.__new__(cls)
        self._start(sources, visit, ids.screening_id, model_id, None, intended_use)
        for source, sequence_id in zip(sources, ids.sequence_ids, strict=True):
            compose_sequence(self._screening, source, sequence_id, progress)
        return self._read_out(refused)


def analyse(
    frames: Frames,
    *,
    organ: str | None = None,
    side: str | None = None,
    plan: Sequence[str] | None = None,
    view: str | None = None,
    position: str | None = None,
    nipple_distance_mm: float | None = None,
    pixel_spacing_mm: float | None = None,
    features: Mapping[str, Any] | None = None,
    ids: Ids | None = None,
    model_id: str | None = None,
    intended_use: IntendedUse | None = None,
    progress: Callable[[int], None] = lambda _frames: None,
) -> Analysis:
    """Analyse one screening in this process.

    frames: one picture (rows, columns[, 3]), a sweep of them (frames, rows, columns[, 3]) or a list, uint8 or uint16;
    a pydicom dataset; or paths to DICOM files, clips, pictures and folders. organ: "breast" or "thyroid"; may be left
    out where the file says it. plan: what was to be scanned, such as ("left",); None is both sides of the organ, and a
    side of which nothing is given is not examined. nipple_distance_mm: from the nipple to the probe's middle.
    pixel_spacing_mm: where the input has no scale of its own. features: fields of
    `sonovan.contracts.clinical_record.FeaturesRecorded`. ids: names of another run, to compare with.
    intended_use: None takes SONOVAN_INTENDED_USE, else research. progress: called with the frames done since the last
    call.

    Raises InvalidRecord when nothing can be read (the first reason), Transient for a disk that is full or away,
    Fatal for weights that do not fit their sha256, a provider that was asked for and is not there, or a SONOVAN_
    variable that is not known.
    """
    options = capture_options(
        organ=organ,
        side=side,
        view=view,
        position=position,
        nipple_distance_mm=nipple_distance_mm,
        pixel_spacing_mm=pixel_spacing_mm,
    )
    refuse_unknown_variables()
    with tempfile.TemporaryDirectory(prefix="sonovan-") as folder:  # for a dataset in memory, until it is read
        inputs = sources_of(frames, options, Path(folder))
        if not inputs.sources:
            raise inputs.refused[0]
        names = ids or mint_ids(len(inputs.sources))
        if len(names.sequence_ids) != len(inputs.sources):
            raise ValueError(f"{len(names.sequence_ids)} sequence ids for {len(inputs.sources)} sources")
        planned = planned_regions(plan, [source.organ for source in inputs.sources])
        visit = anonymous_visit(features, planned)
        held = tuple(line for source in inputs.sources if (line := here_only(source)))
        found = Analyser._over(inputs.sources, inputs.refused, names, visit, model_id, intended_use, progress)
        return replace(found, warnings=(*inputs.warned, *held))


def _live_source(options: CaptureOptions) -> Source:
    """What the pushed frames have in common; they are pushed, not read from it."""
    if options.organ is None:
        raise InvalidRecord("organ_unknown", "organ: say breast or thyroid")

    def read() -> Iterator[CapturedFrame]:
        return iter(())

    return Source(
        path=_LIVE,
        organ=options.organ,
        laterality=options.side,
        view=options.view,
        position=options.position,
        nipple_distance_mm=options.nipple_distance_mm,
        frame_count=None,
        read=read,
    )
