"""Whether the woman's own page may be given to her: the one condition of the page, its PDF and the button."""

from collections.abc import Sequence
from typing import Literal

from sonovan.clinical.amended_since import Since, amended_since
from sonovan.clinical.conclusions import counting, in_force, to_arbitrate
from sonovan.clinical.reading import ReadingRules
from sonovan.clinical.turn import wants_second
from sonovan.contracts.conclusions import ScreeningConcluded
from sonovan.storage.catalogue.amended_since import Amendments
from sonovan.storage.catalogue.concluded import Reported

Waits = Literal["not_signed", "her_silenced", "her_amended", "her_second", "her_arbitration"]
"""Why there is no page: nobody has signed, or nobody whose conclusion this person may see; the screening is void or
she withdrew; what was read is another woman's or another side; a second reading is wanted, or a decision between two.
Each is a phrase `error_…` of the console."""


def why_no_page(
    visible: Sequence[ScreeningConcluded],
    conclusions: Sequence[ScreeningConcluded],
    revisions: Sequence[Reported],
    since: Since,
    rules: ReadingRules,
) -> Waits | None:
    """Why her page is not given to her now; None where it is.

    visible: the conclusions that whoever asks may see, so that a second reader learns nothing here before signing.
    conclusions: all of them. revisions: with a report, the newest first. since: what was amended since the revision was
    read on which the conclusion rests that counts.
    """
    counts = counting(conclusions)
    if counts is None or not revisions or counts.conclusion_id not in {each.conclusion_id for each in visible}:
        return "not_signed"
    if revisions[0].silenced or since.silenced:
        return "her_silenced"
    if since.another:
        return "her_amended"
    standing = in_force(conclusions)
    first = standing.get("first")
    if first is not None and "second" not in standing and wants_second(first, rules):
        return "her_second"
    return "her_arbitration" if to_arbitrate(conclusions) else None


def since_read(amendments: Amendments | None) -> Since:
    """What was amended since the revision was read that these amendments stand beside; nothing where none was."""
    return Since() if amendments is None else amended_since(amendments.read, amendments.newest, amendments.now)
