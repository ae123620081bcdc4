"""What stands on top of a report of what was amended after it was sent: in words, with the reason."""

from typing import Final

from sonovan.contracts.amendments import AmendmentInForce, Purpose
from sonovan.reports.words import Words

USES: Final[dict[Purpose, str]] = {
    "screening": "use_screening",
    "ai": "use_ai",
    "research": "use_research",
    "sharing": "use_sharing",
}
_SIDES: Final = {
    "left": "amended_side_left",
    "right": "amended_side_right",
    "isthmus": "amended_side_isthmus",
}
_OTHERS: Final = {"woman": "amended_woman", "void": "amended_void"}


def amended_words(made: AmendmentInForce, words: Words) -> str:
    """One sentence of what holds now, and the reason. Nothing in it says who she is."""
    return words.text("amended_because", amended=_sentence(made, words), reason=words.reason(made.because))


def _sentence(made: AmendmentInForce, words: Words) -> str:
    if made.laterality is not None:
        sweeps = words.counted(len(made.sequence_ids), "sequence")
        return words.text(_SIDES[made.laterality], sweeps=sweeps)
    if made.withdrawn:
        uses = words.text("comma").join(words.text(USES[each]) for each in made.withdrawn)
        said = words.text("amended_consent", uses=uses)
        if "screening" in made.withdrawn:
            return said + words.text("amended_consent_screening")
        return said + (words.text("amended_consent_ai") if "ai" in made.withdrawn else "")
    return words.text(_OTHERS[made.kind])
