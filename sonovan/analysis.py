"""`analyse`: frames in, findings out, no service.

from sonovan import analyse

analysis = analyse("sweep.dcm", organ="breast", side="left")
for finding in analysis.findings:
    print(finding.best.key_frame_id, finding.best.long_axis_mm, finding.best.score_mean)
"""

import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonovan import models
from sonovan.clinical.advice import withhold, withhold_frame
from sonovan.clinical.alert_rules import withhold_alert
from sonovan.contracts.alerts import LesionAlerted
from sonovan.contracts.answers import RecordRejected
from sonovan.contracts.errors import Fatal, InvalidRecord
from sonovan.contracts.frames import FrameSegmented
from sonovan.contracts.results import Finding, IntendedUse, ScreeningAssessed
from sonovan.contracts.settings import read_settings
from sonovan.embedded import Screened, screen
from sonovan.inputs import Frames, sources_of
from sonovan.models.errors import ModelError
from sonovan.models.masks import decode_mask
from sonovan.producers.items import Ids, Visit
from sonovan.producers.sources import capture_options
from sonovan.settings import FaceSettings
from sonovan.storage.folder_store import FolderStore
from sonovan.storage.keys import Bucket
from sonovan.storage.stores import ObjectStore
from sonovan.variables import refuse_unknown_variables


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in one screening. Unsigned: a machine's reading, never a result.

    screening: the newest revision; categories, advice and the probability that a lesion is malignant are withheld
    unless the intended use is `decision_support`, the latter in `frames` too. frames: one result per frame, in order.
    masks: frame id → (rows, columns) uint8, the region's ordinal + 1, for frames with a region. refused: one error per
    input, or part of one, that could not be read.
    """

    screening: ScreeningAssessed
    frames: tuple[FrameSegmented, ...]
    masks: Mapping[str, NDArray[np.uint8]]
    alerts: tuple[LesionAlerted, ...]
    rejected: tuple[RecordRejected, ...]
    refused: tuple[InvalidRecord, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The lesions of the newest revision."""
        return self.screening.findings

    @property
    def revision_id(self) -> str:
        """The revision's name: equal for equal input, ids, weights and provider, embedded or streamed."""
        return self.screening.revision_id


def analyse(
    frames: Frames,
    *,
    organ: str | None = None,
    side: str | None = None,
    view: str | None = None,
    position: str | None = None,
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
    out where the file says it. pixel_spacing_mm: where the input has no scale of its own. features: fields of
    `sonovan.contracts.van.FeaturesRecorded`. ids: names of another run, to compare with. intended_use: None takes
    SONOVAN_INTENDED_USE, else research. progress: called with the frames done since the last call.

    Raises InvalidRecord when nothing can be read (the first reason), Transient for a disk that is full or away,
    Fatal for weights that do not fit their sha256, a provider that was asked for and is not there, or a SONOVAN_
    variable that is not known.
    """
    options = capture_options(organ=organ, side=side, view=view, position=position, pixel_spacing_mm=pixel_spacing_mm)
    refuse_unknown_variables()
    use = intended_use or read_settings(FaceSettings).intended_use
    with tempfile.TemporaryDirectory(prefix="sonovan-") as scratch:
        inputs = sources_of(frames, options, Path(scratch))
        if not inputs.sources:
            raise inputs.refused[0]
        store = FolderStore(Path(scratch) / "objects")
        screened = screen(
            inputs.sources,
            anonymous_visit(features),
            segmenter=load_segmenter(model_id),
            store=store,
            intended_use=use,
            ids=ids,
            progress=progress,
        )
        return analysis_of(screened, inputs.refused, store, use)


def analysis_of(
    screened: Screened, refused: tuple[InvalidRecord, ...], store: ObjectStore, intended_use: IntendedUse
) -> Analysis:
    """What an embedded run came to, masks included. Raises InvalidRecord where no frame could be read."""
    refused = (*refused, *screened.composed.refused)
    if screened.last is None:
        raise refused[0]
    frames = tuple(
        withhold_frame(frame, intended_use) for frame in sorted(screened.frames, key=lambda frame: frame.frame_id)
    )
    masks = {
        frame.frame_id: decode_mask(store.get(Bucket.MASKS, frame.mask_key))
        for frame in frames
        if frame.mask_key is not None
    }
    shown = withhold(screened.last, intended_use)
    alerts = tuple(withhold_alert(alert, intended_use) for alert in screened.alerts)
    return Analysis(shown, frames, masks, alerts, tuple(screened.rejected), refused)


def anonymous_visit(features: Mapping[str, Any] | None) -> Visit:
    """A visit of nobody: its key is random and joins nothing."""
    return Visit(subject_key=secrets.token_hex(32), site_code="embedded", features=features)


def load_segmenter(model_id: str | None) -> models.Segmenter:
    """The registry's network on this machine's runtime. Raises Fatal where it may not be trusted."""
    try:
        return models.load(model_id)
    except ModelError as error:
        raise Fatal(str(error)) from error
