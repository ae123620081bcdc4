"""What an export of a data set is made from, row by row, wherever the rows come from."""

from dataclasses import dataclass
from datetime import date

from sonovan.contracts.conclusions import ScreeningConcluded


@dataclass(frozen=True, slots=True)
class ScreeningRow:
    """A screening whose pictures a machine could read. Everything here but the answers to consent says who she is.

    examined_on: by the van's clock. void, research, screening, ai: as amendments in force have it now. withdrew: an
    amendment took her consent to research back. age_years: None where nobody asked. conclusions: all that were
    signed then. outcomes: what became of her, in codes, each with the days since the examination (`core_biopsy
    breast.left malignant +16d`).
    """

    screening_id: str
    subject_key: str
    site_code: str
    examined_on: date
    age_years: int | None
    research: bool
    withdrew: bool
    screening: bool
    ai: bool
    void: bool
    conclusions: tuple[ScreeningConcluded, ...] = ()
    outcomes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame's result by the network of its screening's newest revision, with its right side."""

    screening_id: str
    sequence_id: str
    frame_index: int
    organ: str
    laterality: str | None
    view: str | None
    mode: str
    rows: int
    columns: int
    codec: str
    pixels_sha256: str
    quality: float
    assessable: bool
    image_key: str
    image_sha256: str
    mask_key: str | None
    mask_sha256: str | None
    model_id: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A reader's mask of a frame; None where the reader outlined nothing."""

    review_id: str
    sequence_id: str
    frame_index: int
    image_sha256: str
    reader: str
    blind: bool
    mask_key: str | None
    mask_sha256: str | None
