"""Take out of a DICOM object whatever names the woman: the profile of PS3.15 that this project applies.

A function from data set to data set; its secrets are passed in. It is for what is kept or exported as DICOM. A van
sends none: its records hold listed fields alone (`contracts/van.py:FrameCaptured`).
"""

from sonovan.producers.deidentify.keyed import Keyed
from sonovan.producers.deidentify.profile import deidentify

__all__ = ["Keyed", "deidentify"]
