"""Codes and figures as a person reads them, in one language of the catalogue (`sonovan.reports.phrases`)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from sonovan.clinical.adequacy import FOREIGN
from sonovan.clinical.advice import EXAMINE, LOOK_AT_MARKED
from sonovan.clinical.alert_rules import CATEGORIES_TOLD, MALIGNANT_SCORE, SIDE_CHANGED, SUSPICIOUS_WORD
from sonovan.clinical.birads import LIKELIHOOD
from sonovan.clinical.nodules import LEVEL
from sonovan.clinical.referral import SIGN
from sonovan.contracts.because import Because
from sonovan.contracts.derivation import Advice, Category, Programme
from sonovan.contracts.frames import Descriptor, Place
from sonovan.contracts.lexicon import Cancer, Organ, Position, Side
from sonovan.contracts.results import (
    Adequacy,
    Finding,
    IntendedUse,
    Level,
    MissingFrames,
    RefusedPanel,
    Sighting,
    Status,
)
from sonovan.reports.phrases import PHRASES, Language

_COUNTED: Final = ("frame", "region", "record")
"""What the reasons count; `{frames}` in a phrase stands for "1 frame" or "2 frames"."""
_EDITIONS: Final = {"2013": "edition_2013", "v2025": "edition_v2025"}
_SIDES: Final[Mapping[Side, str]] = {"left": "side_left", "right": "side_right", "isthmus": "side_isthmus"}


class Words:
    """What the page, the summary on the terminal and alerts say. A code that the catalogue lacks is shown as it is."""

    def __init__(self, language: Language = "en") -> None:
        self._phrases = PHRASES[language]
        self.language = language

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return self._phrases.tag

    def text(self, name: str, /, **figures: object) -> str:
        """A label or sentence. Raises KeyError for a name that the catalogue does not have."""
        return self._phrases.texts[name].format(**figures)

    def counted(self, number: int, thing: str) -> str:
        """`1 frame`, `2 frames`; thing: `frame`, `region`, `record`, `sequence` or `finding`."""
        return self.text(f"{thing}.one" if number == 1 else f"{thing}.many", number=number)

    def intended_use(self, use: IntendedUse) -> str:
        """The name of an intended use."""
        return self._phrases.intended_use[use][0]

    def intended_use_notice(self, use: IntendedUse) -> str:
        """What outputs of an intended use may be used for, and what they withhold."""
        return self._phrases.intended_use[use][1]

    def status(self, status: Status) -> str:
        """How complete the revision is."""
        return self._phrases.status[status]

    def level(self, level: Level) -> str:
        """How well something was seen."""
        return self._phrases.level[level]

    def place(self, organ: Organ, side: Side | None, position: Position | None = None) -> str:
        """Where in the body: "Left breast, axilla"."""
        known = self._phrases.lexicon.get(f"{organ}.side.{side}")
        place = known or self.text("side_unknown", organ=self._phrases.lexicon[f"organ.{organ}"])
        return (
            self.text("place_and_region", place=place, region=self._word("position", position)) if position else place
        )

    def side_of(self, cancer: Cancer, side: Side) -> str:
        """The side on which a cancer was: of the breast or thyroid that part of the body, of another the side alone."""
        return self._phrases.lexicon.get(f"{cancer}.side.{side}") or self.text(_SIDES[side])

    def lexicon(self, key: str) -> str:
        """A term or word of the lexicon by its `lexicon_key`; empty where the catalogue does not have it."""
        return self._phrases.lexicon.get(key, "")

    def reason(self, code: str) -> str:
        """Why a frame, panel or record was refused, or a place not seen well; an unknown code is shown as it is."""
        return self._phrases.reasons.get(code, _spelled(code))

    def reasons(self, row: Adequacy) -> str:
        """All reasons of a row, or a dash."""
        return self.text("semicolon").join(self.reason(code) for code in row.reasons) or "–"

    def because(self, found: Because) -> str:
        """One thing that a rule found, with its figure."""
        phrase = self._phrases.reasons.get(found.code)
        if phrase is None:
            figure = " ".join(str(part) for part in (found.value, found.unit) if part is not None)
            return f"{_spelled(found.code)} {figure}".rstrip()
        if found.code in (SUSPICIOUS_WORD, SIGN) and isinstance(found.value, str):
            term, _, word = found.value.rpartition(".")
            name = self._phrases.lexicon.get(term, _spelled(term))
            return phrase.format(value=self.text("colon").join((name, self._word(term, word))))
        if found.code in (MALIGNANT_SCORE, LIKELIHOOD) and isinstance(found.value, float):
            return phrase + self.text("brackets", text=self.percent(found.value))
        if found.code == SIDE_CHANGED:
            was = self._phrases.lexicon.get(str(found.value))
            return phrase.format(value=was or self.text("not_recorded"))
        if found.code in CATEGORIES_TOLD or found.code == LEVEL:
            return phrase.format(value=str(found.value).replace(":", " "))
        things = [each for each in _COUNTED if f"{{{each}s}}" in phrase]
        if things and isinstance(found.value, int):
            return phrase.format(**{f"{each}s": self.counted(found.value, each) for each in things})
        if "{value" in phrase:
            return phrase.format(value=found.value) if found.value is not None else _spelled(found.code)
        if found.unit == "1" and isinstance(found.value, int | float):
            share = found.value * 100
            # its figure is the share that could be assessed, while its phrase speaks of the rest
            low = found.code == "low_assessable_share"
            told = self.text("share_assessable", share=share) if low else self.text("share", share=share)
            return phrase + self.text("brackets", text=told)
        return phrase

    def all_because(self, found: Sequence[Because]) -> str:
        """Everything that a rule found."""
        return self.text("comma").join(self.because(each) for each in found)

    def rule(self, name: str) -> str:
        """What a rule is called."""
        return self._phrases.rules.get(name, _spelled(name))

    def missing(self, gap: MissingFrames) -> str:
        """Which frames of a sweep are missing, counted from 1."""
        if gap.indices is None:
            return self.text("sequence_open")
        frames = self.counted(len(gap.indices) + gap.more, "frame")
        return self.text("missing_frames", frames=frames, ranges=self._ranges(gap.indices, gap.more))

    def refused_panel(self, found: RefusedPanel) -> str:
        """Which panel of which frames was not looked at, and why; both are counted from 1."""
        name = "refused_panel.one" if len(found.indices) + found.more == 1 else "refused_panel.many"
        ranges = self._ranges(found.indices, found.more)
        return self.text(name, panel=found.panel + 1, ranges=ranges, reason=self.reason(found.reason))

    def diameters(self, sighting: Sighting) -> str:
        """The largest diameter and the one across it, in mm, or in pixels where nobody knows the scale.

        "≥" stands before it where the lesion may be larger.
        """
        least = "≥ " if sighting.at_least else ""
        if sighting.long_axis_mm is None or sighting.short_axis_mm is None:
            return self.text("size_px", least=least, long=sighting.long_axis_px, short=sighting.short_axis_px)
        return self.text("size_mm", least=least, long=sighting.long_axis_mm, short=sighting.short_axis_mm)

    def size(self, sighting: Sighting) -> str:
        """The diameters and the area; without a scale it says so."""
        known = sighting.area_mm2 is not None
        area = self.text("area_mm2", area=sighting.area_mm2) if known else self.text("area_px", area=sighting.area_px)
        return self.text("comma").join((self.diameters(sighting), area))

    def location(self, sighting: Sighting) -> str:
        """Position and view as the operator named them."""
        named = [self._word("position", sighting.position), self._word("view", sighting.view)]
        return self.text("comma").join(each for each in named if each) or self.text("place_unknown")

    def on_picture(self, sighting: Sighting) -> str:
        """How deep a lesion lies and how far from the middle, left and right being the picture's; "–" where unknown."""
        if sighting.place is None:
            return "–"
        return self.text("comma").join((self.depth(sighting.place), self.lateral(sighting.place)))

    def depth(self, place: Place) -> str:
        """How deep a lesion lies: from the skin where that is certain, else from the picture's upper edge."""
        if place.depth_mm is None:
            return self.text("depth_share", share=place.depth_share * 100)
        return self.text("depth_probe" if place.origin == "probe" else "depth_picture", depth=place.depth_mm)

    def lateral(self, place: Place) -> str:
        """How far to the side of the probe's middle, or of the picture's, a lesion's centre lies."""
        known = place.lateral_mm is not None
        value = place.lateral_share * 100 if place.lateral_mm is None else place.lateral_mm
        middle = self.text("middle_probe" if place.origin == "probe" else "middle_picture")
        if abs(value) < 1:
            return self.text("lateral_none", middle=middle)
        amount = self.text("lateral_mm" if known else "lateral_share", amount=abs(value))
        return self.text("lateral_right" if value > 0 else "lateral_left", amount=amount, middle=middle)

    def at_least(self, sighting: Sighting) -> str:
        """Why the lesion may be larger than its size says; empty where nothing says so."""
        return self.all_because(sighting.at_least)

    def burned_in(self, organ: Organ, side: Side | None, frame_index: int, *, despeckled: bool = False) -> str:
        """What is drawn into a picture: organ and side, unsigned, which frame it is, that it is despeckled if it is."""
        frame = self.text("frame_number_despeckled" if despeckled else "frame_number", frame=frame_index + 1)
        return self.text("burned_in", place=self.place(organ, side), unsigned=self.text("unsigned"), frame=frame)

    def frames_seen(self, sighting: Sighting) -> str:
        """On how many frames, which (counted from 1), and for how long."""
        frames, (first, last) = self.counted(sighting.frame_count, "frame"), sighting.frame_span
        if first == last:
            return self.text("frame_no", frames=frames, first=first + 1)
        span = self.text("frame_span", frames=frames, first=first + 1, last=last + 1)
        if sighting.duration_ms is None:
            return span
        return self.text("comma").join((span, self.text("seconds", seconds=sighting.duration_ms / 1000)))

    def categories(self, finding: Finding) -> str:
        """The suggested categories of a finding, or that there is none, and why where a rule says so."""
        return self.text("comma").join(map(self.category, finding.categories)) or self.no_category(finding)

    def no_category(self, finding: Finding) -> str:
        """That a finding has no category, and why where a rule says so."""
        why = self.all_because(finding.uncategorised)
        return self.text("no_category") + (self.text("brackets", text=why) if why else "")

    def category(self, found: Category) -> str:
        """A suggested category."""
        if found.withheld or found.value is None:
            return self.text("category_withheld", scheme=found.scheme)
        told = self._suggested(found)
        if not found.still_unseen:
            return told
        places = [self.place(each.organ, each.side, each.region) for each in found.still_unseen]
        return self.text("category_incomplete", category=told, places=self.text("comma").join(places))

    def points(self, found: Category) -> str:
        """Every point of a category: which term, which word, how many, and who said the word."""
        return self.text("comma").join(
            self.text(
                "points_of",
                term=self._phrases.lexicon.get(f"{found.organ}.{each.term}", _spelled(each.term)),
                word=self._word(f"{found.organ}.{each.term}", each.word),
                points=each.points,
                by=self.text("by_reader") if each.by == "reader" else self.text("by_software"),
            )
            for each in found.points
        )

    def _suggested(self, found: Category) -> str:
        figures = {"scheme": found.scheme, "value": found.value, "total": found.total}
        if found.total is None:
            return self.text("category_suggested", scheme=found.scheme, value=found.value)
        if not found.at_least:
            return self.text("category_points", **figures)
        terms = [self._phrases.lexicon.get(f"{found.organ}.{each}", _spelled(each)) for each in found.not_read]
        return self.text("category_at_least", terms=self.text("comma").join(terms), **figures)

    def category_reasons(self, found: Category) -> str:
        """Of what a category speaks, why, and by which rule."""
        place = self.place(found.organ, found.laterality)
        because = self.text("comma").join(filter(None, (self.points(found), self.all_because(found.because))))
        rule = self.rule(found.rule or "")
        if found.scheme == "BI-RADS" and found.edition in _EDITIONS:
            rule = self.text("comma").join((rule, self.edition(found.edition)))
        return self.text("category_reasons", place=place, because=because, rule=rule)

    def edition(self, edition: str) -> str:
        """The edition of the lexicon of the breast."""
        return self.text(_EDITIONS[edition])

    def programme(self, found: Programme) -> str:
        """What the programme chose of the rules."""
        return self.text(
            "programme_value",
            edition=self.edition(found.bi_rads_edition),
            least_4a=found.c_tirads_4a_fna_mm,
            least_4b=found.c_tirads_4b_fna_mm,
            calibration=found.calibration,
            shift=found.calibration_shift,
        )

    def advice(self, found: Advice, findings: Sequence[Finding] = ()) -> str:
        """An advice as a person reads it, or that it is withheld.

        findings: in the order of the report, so that an advice about one names its number.
        """
        if found.withheld:
            return self.text("advice_withheld")
        if found.rule == "reader_must_review":
            return self._review(next((each.value for each in found.because if isinstance(each.value, int)), 0))
        nowhere = self.text("place_not_known") if found.rule == LOOK_AT_MARKED else ""
        place = self.place(found.organ, found.laterality, found.region) if found.organ else nowhere
        numbers = {each.finding_id: number for number, each in enumerate(findings, start=1)}
        if found.finding_id in numbers:
            place = self.text("about_number", about=place, number=numbers[found.finding_id])
        because = self.all_because(found.because)
        sentence = self._phrases.advice.get(found.rule)
        if sentence is None:
            return self.text("colon").join(filter(None, (self.rule(found.rule), place, because)))
        told = sentence.format(place=place, because=because)
        foreign = found.rule == EXAMINE and any(each.code in FOREIGN for each in found.because)
        return self.text("check_organ", advice=told) if foreign else told

    def predicted_dice(self, value: float | None) -> str:
        """How far the outlines on the key frame can be expected to agree with a reader's."""
        return self.text("dice_unknown") if value is None else self.text("dice", dice=value)

    def descriptor_name(self, organ: Organ, found: Descriptor) -> str:
        """What a descriptor speaks of: "margin", "skin thickening"."""
        return self._phrases.lexicon.get(f"{organ}.{found.name}", _spelled(found.name))

    def descriptor(self, organ: Organ, found: Descriptor) -> str:
        """A descriptor's value and how sure the software is, or that it is not determined."""
        if found.value is None:  # its figure would be that of a word that is not named
            return self.text("not_determined")
        word = self._word(f"{organ}.{found.name}", found.value)
        return self.text("described", text=word, share=self.percent(found.probability))

    def findings_heading(self, findings: Sequence[Finding]) -> str:
        """What the list of findings is called, and how it is ordered: by size where no finding has a suspicion, as of a
        thyroid. A withheld suspicion orders all the same."""
        if not findings:
            return self.text("findings_heading")
        judged = any(each.malignant is not None or each.malignant_withheld for each in findings)
        return self.text("most_suspicious_first" if judged else "largest_first")

    def nothing_outlined(self, rows: Sequence[Adequacy]) -> str:
        """What stands where findings would: nothing was outlined, or no frame could be assessed at all."""
        looked = any(row.assessable_share > 0 for row in rows)
        return self.text("no_region" if looked else "nothing_looked_at")

    def assessable(self, row: Adequacy) -> str:
        """The share of a row's frames that could be assessed; "–" where there are none."""
        return self.text("share", share=row.assessable_share * 100) if row.frames else "–"

    def malignant(self, finding: Finding) -> str | None:
        """The suggested probability of malignancy with its range over frames, that it is withheld, or that the outline
        is unreliable; None where no network gives one."""
        if finding.outline_unreliable:
            return self.text("outline_unreliable")
        if finding.malignant_withheld:
            return self.text("withheld")
        if finding.malignant is None:
            return None
        share = self.percent(finding.malignant)
        low, high = map(self.percent, finding.malignant_range or (finding.malignant, finding.malignant))
        if low == high == share:
            return self.text("malignant", share=share)
        return self.text("malignant_range", share=share, low=low, high=high)

    def contrast(self, value: float | None) -> str:
        """Brightness against the surroundings."""
        if value is None:
            return self.text("contrast_unknown")
        if abs(value) < 0.005:
            return self.text("contrast_none")
        return self.text("darker" if value < 0 else "brighter", share=abs(value) * 100)

    def suspicion(self, finding: Finding) -> str:
        """The suggested probability of malignancy for a table: the figure alone, or why there is none."""
        if finding.malignant is None or finding.outline_unreliable or finding.malignant_withheld:
            return self.malignant(finding) or self.text("not_given")
        return self.percent(finding.malignant)

    def moment(self, value: datetime) -> str:
        """Date and time in UTC, to the minute."""
        at = value.astimezone(UTC)
        return self.text("moment", date=self.day(at.date()), time=at.strftime("%H:%M"))

    def day(self, value: date) -> str:
        """A day, as the language writes it."""
        month = self.text("months").split()[value.month - 1]
        return self.text("date", day=value.day, month=month, year=value.year)

    def _word(self, term: str, word: str | None) -> str:
        return "" if word is None else self._phrases.lexicon.get(f"{term}.{word}", _spelled(word))

    def _ranges(self, indices: Sequence[int], more: int) -> str:
        return self.text("and_further", ranges=ranges(indices)) if more else ranges(indices)

    def _review(self, findings: int) -> str:
        if findings == 0:
            return f"{self.text('no_region')} {self.text('review.none')}"
        return self.text("review.one" if findings == 1 else "review.many", number=findings)

    def percent(self, share: float) -> str:
        """No less than "≤ 2 %" and no more than "≥ 95 %": the outermost bands of BI-RADS (3 and 5).

        What lies beyond them was not measured: of 90 findings of the lowest band none was malignant, which leaves up to
        4 %; of 52 of the highest band 51 were (docs/accuracy.md).
        """
        if share <= 0.02:
            return self.text("least_share")
        return self.text("most_share") if share >= 0.95 else self.text("share", share=share * 100)


def ranges(indices: Sequence[int]) -> str:
    """Sorted indices (from 0) as people count, from 1, with runs drawn together: "3, 5–9"."""
    runs: list[list[int]] = []
    for number in (index + 1 for index in indices):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def _spelled(code: str) -> str:
    return code.replace("_", " ")
