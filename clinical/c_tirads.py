"""C-TIRADS: the category of one thyroid nodule, from what was determined or a reader entered.

One for each suspicious feature, one off for comet-tail artefacts. What is not determined adds nothing; the category is
then "at least", and nothing is advised by size. C-TIRADS 1 (no nodule) is a reader's word, never derived; so are 2 and
3 as long as a feature was not read, for a nodule of which little is known is not thereby harmless.
Source: Zhou et al., 2020 Chinese guidelines for ultrasound malignancy risk stratification of thyroid nodules: the
C-TIRADS, Endocrine 70:256 (2020).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sonovan.clinical.said import Said
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Category, Points
from sonovan.contracts.lexicon import Side

C_TI_RADS: Final = "c_ti_rads_2020"
EDITION: Final = "2020"
COMET_TAIL_WOULD_TAKE_ONE: Final = "comet_tail_would_take_one"

SUSPICIOUS: Final[Mapping[str, frozenset[str]]] = {
    "composition": frozenset({"solid"}),
    "echogenicity": frozenset({"very_hypoechoic", "markedly_hypoechoic"}),
    "shape": frozenset({"taller_than_wide"}),
    "margin": frozenset(
        {"ill_defined", "lobulated", "irregular", "lobulated_or_irregular", "extrathyroidal_extension"}
    ),
    "calcifications": frozenset({"microcalcification"}),
}
"""The words that add one, by term: solid, markedly hypoechoic, vertical, margin, microcalcification."""
COMET_TAIL: Final = "large_comet_tail"
PUNCTATE: Final = "punctate_echogenic_foci"
VALUES: Final = {-1: "2", 0: "3", 1: "4A", 2: "4B", 3: "4C", 4: "4C", 5: "5"}
TERMS: Final = (*SUSPICIOUS, "echogenic_foci")


def c_tirads(said: Mapping[str, Said], laterality: Side | None = None) -> Category | None:
    """The category that the words come to, with every point; None where they come to none.

    said: by the lexicon's term (`sonovan.clinical.said.said_of`); `shape` must be of a transverse view. Punctate foci
    that a reader entered count as microcalcification, and foci that a reader entered stand in place of what software
    read of calcifications. Points −1, 0, 1, 2, 3 or 4, 5 are 2, 3, 4A, 4B, 4C, 5.
    """
    said = _by_reader(said)
    counted = _counted(said)
    total = sum(each.points for each in counted)
    not_read = _not_read(said)
    if not counted or (total < 1 and not_read):
        return None
    because = (Because(code=COMET_TAIL_WOULD_TAKE_ONE),) if "echogenic_foci" in not_read else ()
    return Category(
        scheme="C-TIRADS", edition=EDITION, value=VALUES[total], rule=C_TI_RADS, because=because, points=counted,
        total=total, at_least=bool(not_read), not_read=not_read, organ="thyroid", laterality=laterality,
    )  # fmt: skip


def _by_reader(said: Mapping[str, Said]) -> Mapping[str, Said]:
    """Without the calcifications that software read, where a reader entered the foci: calcifications are among them."""
    foci, seen = said.get("echogenic_foci"), said.get("calcifications")
    if foci is None or seen is None or (foci.by, seen.by) != ("reader", "software"):
        return said
    return {term: own for term, own in said.items() if term != "calcifications"}


def _adds(term: str, found: Iterable[Points]) -> bool:
    """Whether a word of this term added a point already: one finding counts once."""
    return any(each.term == term and each.points > 0 for each in found)


def _counted(said: Mapping[str, Said]) -> tuple[Points, ...]:
    found = []
    for term, suspicious in SUSPICIOUS.items():
        own = said.get(term)
        if own is not None:
            word = next((each for each in own.words if each in suspicious), own.words[0])
            found.append(Points(term=term, word=word, points=int(word in suspicious), by=own.by))
    foci = said.get("echogenic_foci")
    if foci is not None:
        if PUNCTATE in foci.words and not _adds("calcifications", found):
            found.append(Points(term="echogenic_foci", word=PUNCTATE, points=1, by=foci.by))
        if COMET_TAIL in foci.words:
            found.append(Points(term="echogenic_foci", word=COMET_TAIL, points=-1, by=foci.by))
    return tuple(found)


def _not_read(said: Mapping[str, Said]) -> tuple[str, ...]:
    """The terms of which nothing was determined; foci that a reader entered tell of calcifications too."""
    known = set(said) | ({"calcifications"} if "echogenic_foci" in said else set())
    return tuple(term for term in TERMS if term not in known)
