"""The sheet that goes with a data set: what it is, of whom, how it was made safe, and what it cannot show.

Its questions follow Gebru et al., "Datasheets for Datasets", Communications of the ACM 64(12):86 (2021).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from sonovan.dataset.anonymity import AGES, SITES, TIMES, Anonymous
from sonovan.dataset.pseudonyms import LONGEST_SHIFT_DAYS
from sonovan.dataset.tables import PictureRow

REASONS: Final = {
    "erased": "screenings of women who asked that what is kept of them be deleted",
    "void": "screenings that do not count",
    "no_consent": "screenings without consent to be screened or read by a machine",
    "no_research_consent": "screenings without consent to research",
    "screening_without_pictures": "screenings of which no picture could be exported",
    "picture_not_reviewed": "pictures on which no reader drew",
    "picture_not_stored": "pictures that are not stored any more",
    "woman_too_rare": "women too rare in what would be said of them",
}


def datasheet(
    name: str,
    counts: Mapping[str, int],
    left_out: Mapping[str, int],
    safe: Anonymous,
    k: int,
    pictures: Sequence[PictureRow],
) -> str:
    """The text, Markdown."""
    organs = Counter(row.organ for row in pictures)
    splits = Counter(row.split for row in pictures)
    women = {row.split: len({each.woman for each in pictures if each.split == row.split}) for row in pictures}
    models = sorted({row.model for row in pictures})
    readers = Counter(len(row.readers) for row in pictures if row.mask_by == "readers")
    lines = [
        f"# Datasheet of {name}",
        "",
        "Ultrasound pictures of breasts and thyroids from a screening programme, with outlines of lesions.",
        "No diagnosis: nothing in here says what became of a lesion.",
        "",
        "## What is in it",
        "",
        f"- {counts['pictures']} pictures of {counts['women']} women at {counts['visits']} visits; "
        + ", ".join(f"{number} {organ}" for organ, number in sorted(organs.items())),
        f"- masks: {counts.get('by_readers', 0)} pictures by readers (the STAPLE consensus where several drew), "
        f"{counts.get('by_machine', 0)} by the machine alone ({', '.join(models)})",
        "- readers of a picture: "
        + (", ".join(f"{number} on {count}" for number, count in sorted(readers.items())) or "none"),
        "- splits, by woman: "
        + ", ".join(f"{split} {count} pictures of {women[split]} women" for split, count in sorted(splits.items())),
        "",
        "| file | what |",
        "|---|---|",
        "| `pictures.parquet`, `visits.parquet` | every picture and every visit, a row each |",
        "| `index.csv` | pictures on which readers drew, for `sonovan models evaluate` and training |",
        "| `coco.json` | every outline as COCO, `drawn_by` says by whom |",
        "| `images/`, `masks/`, `machine_masks/` | PNG; masks are 0 and 255, absent where nothing is outlined |",
        "| `manifest.json` | the sum of every file, the versions and the cut-off from which it can be made again |",
        "",
        "## Whose it is, and who is not in it",
        "",
        "Women who agreed to research and had not taken it back when this was made. A woman who takes it back later",
        "is not in the next export; whoever holds this one must then delete it or export again.",
        "",
        *([f"- left out: {count} {REASONS[reason]}" for reason, count in left_out.items()] or ["- left out: nothing"]),
        "",
        "## How it was made safe",
        "",
        "- Names of women, visits, sweeps, sites and readers are pseudonyms under a secret key.",
        "  No van, slip or time of day is in it.",
        f"- Dates are shifted, each woman's by a number of days of her own, up to {LONGEST_SHIFT_DAYS} to either side.",
        f"- At least {k} women share each combination of age, time, site and organ; the smallest class has",
        f"  {safe.smallest}. Said are: {_said(safe)}.",
        f"- {safe.generalised} women stood in smaller classes before less was said of everybody; "
        f"{safe.suppressed} still did and were left out.",
        "- Text in pictures was made black on the van; nobody has looked at every picture for what was missed.",
        "",
        "## What it cannot show",
        "",
        "- Pictures of one sweep are alike: count women, not pictures. Never divide a woman: use the splits.",
        "- A mask by the machine is no truth; measuring that machine on it measures nothing.",
        "- k-anonymity protects against who knows age, time and place of a screening, not against who has",
        "  the pictures themselves.",
        "",
    ]
    return "\n".join(lines)


def _said(safe: Anonymous) -> str:
    width = AGES[safe.rungs.age]
    age = f"age in bands of {width} years" if width else "no age"
    time = TIMES[safe.rungs.time]
    site = "the site" if SITES[safe.rungs.site] == "site" else "no site"
    return f"{age}, {'no time' if time == 'any' else f'the {time}'}, {site}"
