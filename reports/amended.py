"""What stands on top of a report of what was amended after it was sent: in words, with the reason."""

from typing import Final

from sonovan.contracts.amendments import AmendmentInForce, Mark, Purpose
from sonovan.contracts.ids import split_frame_id
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
    """One sentence of what holds now, and the reason; of a mark, where it is. Nothing in it says who she is."""
    if made.mark is not None:
        return _marked(made.mark, words)
    return words.text("amended_because", amended=_sentence(made, words), reason=words.reason(made.because))


def _marked(mark: Mark, words: Words) -> str:
    place = words.text("place_not_known")
    if mark.organ is not None:
        place = words.place(mark.organ, mark.laterality, mark.region)
    if mark.frame_id is None:
        return words.text("marked_before", place=place)
    frame = split_frame_id(mark.frame_id)[1] + 1
    if mark.sweep is None:
        return words.text("marked_not_here", frame=frame)
    return words.text("marked_frame", frame=frame, sweep=mark.sweep, place=place)


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
