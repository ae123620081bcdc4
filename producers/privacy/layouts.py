"""What a site knows of its scanners' screens: where the ultrasound lies, and what is hidden besides."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sonovan.contracts.errors import InvalidRecord
from sonovan.producers.sources import Box

Side = Annotated[int, Field(ge=1, le=65_535)]


class ScreenLayout(BaseModel):
    """One screen of one kind of scanner.

    rows, columns: of its pictures, in pixels; a picture of another size is another screen. manufacturer, model: as the
    van reads them from DICOM files; None fits any, for clips and captured video name none. keep: boxes (left, top,
    width, height) that show ultrasound; whatever lies outside them is black. hide: boxes within them that are black,
    too.
    Raises ValidationError for a box that does not lie in the picture, or a layout that keeps nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Side
    columns: Side
    keep: tuple[Box, ...] = Field(min_length=1)
    hide: tuple[Box, ...] = ()
    manufacturer: str | None = None
    model: str | None = None

    @model_validator(mode="after")
    def _inside(self) -> "ScreenLayout":
        for left, top, width, height in (*self.keep, *self.hide):
            fits = left >= 0 and top >= 0 and left + width <= self.columns and top + height <= self.rows
            if width < 1 or height < 1 or not fits:
                raise ValueError(f"box {left},{top},{width},{height} does not lie in {self.columns}×{self.rows}")
        return self


_LIST: TypeAdapter[tuple[ScreenLayout, ...]] = TypeAdapter(tuple[ScreenLayout, ...])


def read_layouts(path: Path) -> tuple[ScreenLayout, ...]:
    """The layouts of a JSON file, a list of objects with the fields of `ScreenLayout`.

    Raises InvalidRecord `layouts_unreadable` that says what is wrong with it; a layout that is half understood would
    show what it should hide.
    """
    try:
        return _LIST.validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidRecord("layouts_unreadable", f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRecord("layouts_unreadable", f"{path}: {where}: {first['msg']}") from None


def layout_of(
    layouts: Sequence[ScreenLayout], rows: int, columns: int, manufacturer: str | None, model: str | None
) -> ScreenLayout | None:
    """The first layout that fits a picture of this size and scanner; None where none does."""
    for layout in layouts:
        fits = (layout.rows, layout.columns) == (rows, columns)
        if fits and layout.manufacturer in (None, manufacturer) and layout.model in (None, model):
            return layout
    return None
