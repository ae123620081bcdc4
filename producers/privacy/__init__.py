"""The guard of privacy on the van: what a file declares, what is known of a scanner's screen, and what is found in it.

`declared.py` acts on a DICOM file's own words, `layouts.py` on what a site knows of its scanners' screens, `clean.py`
looks for the ultrasound and for text in the pixels. Each only takes away more. What cannot be judged is black, or held.
"""

from sonovan.producers.privacy.clean import Cleaned, Cleaner, Doubt, clean
from sonovan.producers.privacy.cleaned import cleaned_source, open_cleaning
from sonovan.producers.privacy.declared import (
    BURNED_IN,
    HELD_REASONS,
    TEXT_UNCERTAIN,
    UNCERTAIN,
    BlackedOut,
    as_grey,
    black_out,
    hold_reason,
)
from sonovan.producers.privacy.layouts import ScreenLayout, layout_of, read_layouts

__all__ = [
    "BURNED_IN",
    "HELD_REASONS",
    "TEXT_UNCERTAIN",
    "UNCERTAIN",
    "BlackedOut",
    "Cleaned",
    "Cleaner",
    "Doubt",
    "ScreenLayout",
    "as_grey",
    "black_out",
    "clean",
    "cleaned_source",
    "hold_reason",
    "layout_of",
    "open_cleaning",
    "read_layouts",
]
