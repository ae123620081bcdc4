"""What readers conclude and what became of the women, in one language of the catalogue."""

from sonovan.contracts.conclusions import (
    CategoryRead,
    Contradicts,
    FindingRead,
    Recommended,
    ScreeningConcluded,
    WordRead,
)
from sonovan.contracts.derivation import Category
from sonovan.contracts.ids import split_frame_id
from sonovan.contracts.lexicon import Organ
from sonovan.contracts.outcomes import OutcomeRecorded
from sonovan.reports.phrases import PHRASES
from sonovan.reports.words import Words


class SignedWords(Words):
    """The words of the report, and those of conclusions and outcomes."""

    def sign(self, name: str, /, **figures: object) -> str:
        """A label or sentence. Raises KeyError for a name that the catalogue does not have."""
        return PHRASES[self.language].signed[name].format(**figures)

    def recommended(self, found: Recommended) -> str:
        """What shall be done, with the months until a follow-up."""
        return self.sign(f"action_{found.action}", months=found.months)

    def category_derived(self, found: Category) -> str:
        """What a reader's own words come to by a rule: a suggestion of nobody's."""
        figures = {"scheme": found.scheme, "value": found.value, "total": found.total}
        if found.total is None:
            return f"{found.scheme} {found.value}"
        if not found.at_least:
            return self.sign("derived_points", **figures)
        terms = self.text("comma").join(self.lexicon(f"{found.organ}.{each}") for each in found.not_read)
        return self.sign("derived_at_least", terms=terms, **figures)

    def category_read(self, found: CategoryRead) -> str:
        """A category that a reader chose: "TI-RADS TR4", and what its words come to where that is another one."""
        told = f"{found.scheme} {found.value}"
        more = []
        if found.points is not None:
            more.append(self.sign("signed_points", points=found.points))
        if found.derived is not None and found.derived != found.value:
            more.append(self.sign("signed_derived", derived=found.derived))
        return told + (self.text("brackets", text=self.text("comma").join(more)) if more else "")

    def word_read(self, organ: Organ, found: WordRead) -> str:
        """A term with the reader's word, and what was done with the machine's."""
        term = f"{organ}.{found.term}"
        suggested = self._word(term, found.suggested) if found.suggested else ""
        how = self.sign(f"word_{found.verdict}", suggested=suggested)
        words = self.text("comma").join(self._word(term, each) for each in found.words)
        told = self.text("brackets", text=how)
        return self.text("colon").join((self.lexicon(term), f"{words}{told}" if words else how))

    def despite(self, found: Contradicts) -> str:
        """Something that does not fit together."""
        place = self.place(found.organ, found.laterality) if found.organ else ""
        return self.sign(f"despite_{found.code}", place=place, number=found.number or self.text("not_recorded"))

    def finding_read(self, found: FindingRead) -> str:
        """A reader's verdict of a finding with its categories."""
        told = [self.sign(f"verdict_{found.verdict}"), *map(self.category_read, found.categories)]
        return self.text("comma").join(told)

    def own_frame(self, found: FindingRead) -> str:
        """What is drawn into the picture of a finding of the reader's own: its side, and which frame it is."""
        return f"{self.place(found.organ, found.laterality)} · {self.text('frame_number', frame=_number_of(found))}"

    def own_picture(self, found: FindingRead, *, drawn: bool) -> dict[str, str]:
        """What stands under such a picture, and what is read out instead of it: `caption`, `plain_alt`, `drawn_alt`.

        drawn: whether the reader outlined something on that frame.
        """
        frame = {"frame": _number_of(found)}
        caption = self.sign("signed_own_drawn" if drawn else "signed_own_plain", what=self.own_frame(found))
        return {
            "caption": caption,
            "plain_alt": self.sign("signed_own_plain_alt", **frame),
            "drawn_alt": self.sign("signed_own_drawn_alt", **frame),
        }

    def concluded_number(self, found: ScreeningConcluded) -> str:
        """Which conclusion it is, and in which role."""
        return self.sign("signed_number", number=found.conclusion_number, role=self.sign(f"role_{found.role}"))

    def outcome(self, found: OutcomeRecorded) -> str:
        """What happened, of which side, with its result."""
        told = [self.sign(f"outcome_{found.kind}")]
        if found.organ is not None:
            told.append(self.place(found.organ, found.laterality))
        if found.result is not None:
            told.append(self.sign(f"result_{found.result}"))
        told += [f"BI-RADS {found.bi_rads}"] if found.bi_rads else []
        told += [f"Bethesda {found.bethesda}"] if found.bethesda else []
        return self.text("comma").join(told)


def _number_of(found: FindingRead) -> int:
    """Which frame of its sweep shows a finding of the reader's own, from 1. Raises ValueError for another finding."""
    if found.frame_id is None:
        raise ValueError("a finding of the reader's own is on a frame")
    return split_frame_id(found.frame_id)[1] + 1
