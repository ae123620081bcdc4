"""The catalogue: every phrase that a person reads, in every language. A test holds it against every code there is."""

from collections.abc import Mapping
from typing import Final

from sonovan.reports.phrases.en import ENGLISH
from sonovan.reports.phrases.shape import LANGUAGES, Language, Phrases
from sonovan.reports.phrases.zh import CHINESE

__all__ = ["LANGUAGES", "PHRASES", "Language", "Phrases"]

PHRASES: Final[Mapping[Language, Phrases]] = {"en": ENGLISH, "zh": CHINESE}
