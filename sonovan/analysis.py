"""What `analyse` and `Analyser` give back, and what every run in this process starts from."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from sonovan.contracts.van import Consent, PlannedRegion
from sonovan.embedded import Screened
from sonovan.models.errors import ModelError
from sonovan.producers.items import Visit
from sonovan.producers.privacy import HELD_REASONS, hold_reason
from sonovan.producers.screening import Composed
from sonovan.producers.sources import Source
from sonovan.producers.sources.reasons import shown
from sonovan.storage.stores import ObjectStore
from sonovan.stored import StoredMasks


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found in one screening. Unsigned: a machine's reading, never a result.

    screening: the newest revision; categories, advice and the probability that a lesion is malignant are withheld
    unless the intended use is `decision_support`, the latter in `frames` too. frames: one result per frame, in order.
    masks: frame id → (rows, columns) uint8, the region's ordinal + 1, for frames with a region. Results and masks are
    read from a temporary file when they are asked for: keep those that you look at more than once.
    refused: one error per input, or part of one, that could not be read. warnings: one line for each thing that
    was read and should be looked at, as `sonovan screen` prints them.
    """

    screening: ScreeningAssessed
    frames: Sequence[FrameSegmented]
    masks: Mapping[str, NDArray[np.uint8]]
    alerts: tuple[LesionAlerted, ...]
    rejected: tuple[RecordRejected, ...]
    refused: tuple[InvalidRecord, ...]
    warnings: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The lesions of the newest revision, most suspicious first, then largest."""
        return self.screening.findings

    @property
    def revision_id(self) -> str:
        """The revision's name: equal for equal input, ids, weights and provider, embedded or streamed."""
        return self.screening.revision_id


def analysis_of(
    screened: Screened, refused: tuple[InvalidRecord, ...], store: ObjectStore, intended_use: IntendedUse
) -> Analysis:
    """What an embedded run came to, masks included. Raises InvalidRecord where no frame could be read."""
    refused = (*refused, *not_read_of(screened.composed))
    if screened.last is None:
        raise refused[0]
    frames = screened.frames.shown(lambda frame: withhold_frame(frame, intended_use))
    masks = StoredMasks(screened.frames, store)
    shown = withhold(screened.last, intended_use)
    alerts = tuple(withhold_alert(alert, intended_use) for alert in screened.alerts)
    return Analysis(shown, frames, masks, alerts, tuple(screened.rejected), refused)


def not_read_of(composed: Composed) -> tuple[InvalidRecord, ...]:
    """What could not be read. Frames that a van would hold are not among them: nothing leaves this machine."""
    return tuple(error for error in composed.refused if error.reason not in HELD_REASONS)


def here_only(source: Source) -> str | None:
    """A warning of a source that is screened here and that a van would hold; None of any other."""
    reason = hold_reason(source)
    return None if reason is None else f"{shown(source.path)}: screened here, a van would hold it ({reason})"


def anonymous_visit(features: Mapping[str, Any] | None, planned: tuple[PlannedRegion, ...] | None = None) -> Visit:
    """A visit of nobody: its key is random and joins nothing. planned: None for both sides of each organ.

    Consent is not asked for: nothing leaves the machine of whoever has the pictures and calls this to have them read.
    """
    consent = Consent(screening=True, ai=True)
    return Visit(secrets.token_hex(32), "embedded", consent, features=features, planned=planned)


def load_segmenter(model_id: str | None) -> models.Segmenter:
    """The registry's network on this machine's runtime. Raises Fatal where it may not be trusted."""
    try:
        return models.load(model_id)
    except ModelError as error:
        raise Fatal(str(error)) from error
