"""Give lesions names that last: find out which lesion is which published finding, whatever frames arrived since."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import count

from sonovan.clinical.lesions import Lesion
from sonovan.clinical.track import MemberKey
from sonovan.contracts.results import WithdrawnFinding


def name_findings(
    screening_id: str, lesions: Sequence[Lesion], published: Mapping[str, frozenset[MemberKey]]
) -> tuple[list[tuple[str, Lesion]], tuple[WithdrawnFinding, ...]]:
    """Each lesion with its finding id, in the order of the lesions' lowest members; and what is withdrawn.

    published: every finding id that this screening has ever published, withdrawn ones too, with the members that it
    last had. So each revision lists all that is withdrawn, and a lesion that comes back has its old name.
    A published finding passes its id on to the lesion that shares most members with it (of equals the one with
    the lowest member); a lesion that inherits several keeps the lowest id and the others are withdrawn, merged
    into it. A finding that shares no member with any lesion is withdrawn. Other lesions get `new_finding_id`.
    """
    ordered = sorted(lesions, key=lambda lesion: lesion.members[0])
    owner = {member: place for place, lesion in enumerate(ordered) for member in lesion.members}
    heir = {finding_id: _heir(members, owner) for finding_id, members in published.items()}
    kept: dict[int, str] = {}
    for finding_id in sorted(published):
        place = heir[finding_id]
        if place is not None:
            kept.setdefault(place, finding_id)
    used = set(published)
    named: list[tuple[str, Lesion]] = []
    for place, lesion in enumerate(ordered):
        finding_id = kept.get(place) or new_finding_id(screening_id, lesion.members[0], used)
        used.add(finding_id)
        named.append((finding_id, lesion))
    live = {finding_id for finding_id, _ in named}
    withdrawn = tuple(
        WithdrawnFinding(finding_id=finding_id, merged_into=None if place is None else kept[place])
        for finding_id, place in sorted(heir.items())
        if finding_id not in live
    )
    return named, withdrawn


def new_finding_id(screening_id: str, lowest: MemberKey, used: set[str]) -> str:
    """sha256 of the screening and the lowest member; where a finding has that name already (the other part of a
    split keeps it), with the first number that makes it unused."""
    plain = f"{screening_id}\n{lowest[0]}\n{lowest[1]}"
    names = (plain if number == 0 else f"{plain}\n{number}" for number in count())
    return next(found for name in names if (found := hashlib.sha256(name.encode()).hexdigest()) not in used)


def _heir(members: frozenset[MemberKey], owner: Mapping[MemberKey, int]) -> int | None:
    """The place of the lesion that holds most of `members`, of equals the first; None where none holds any."""
    shared: dict[int, int] = {}
    for member in members:
        place = owner.get(member)
        if place is not None:
            shared[place] = shared.get(place, 0) + 1
    return min(shared, key=lambda place: (-shared[place], place)) if shared else None
