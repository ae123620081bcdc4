"""Whose an object is: by what it took from the worklist, never by a name."""

from sonovan.producers.gateway.intake import Assigned, Claims
from sonovan.producers.gateway.register import Expected, Register


def whose(register: Register, claims: Claims, assigned: Assigned | None) -> tuple[Expected | None, str]:
    """The woman of an object, or None; and why none is known, `unmatched` or `identifiers_contradict`.

    Study, accession number, patient id (her slip number) and the slip number that names the folder in which a file lay
    are each looked up; those that are known must all be of one woman. An accession number or a study of somebody
    unknown decides nothing, for scanners make up their own; a patient id that is no slip of hers does, for then the
    scanner was told of somebody else.
    """
    if assigned is not None:
        return register.by_slip(assigned.slip), "unmatched"
    found = {
        entry.screening_id: entry
        for entry in (
            register.by_study(claims.study) if claims.study else None,
            register.by_accession(claims.accession) if claims.accession else None,
            register.by_slip(slip_of(claims.patient_id)) if claims.patient_id else None,
            register.by_slip(claims.folder_slip) if claims.folder_slip else None,
        )
        if entry is not None
    }
    if not found:
        return None, "unmatched"
    entry = next(iter(found.values()))
    told = {slip_of(claims.patient_id), claims.folder_slip} - {"", entry.slip}
    if len(found) > 1 or told:
        return None, "identifiers_contradict"
    return entry, "unmatched"


def slip_of(patient_id: str) -> str:
    """A slip number as somebody may have typed it: hyphens, spaces and small letters are as good."""
    return "".join(each for each in patient_id.upper() if each.isalnum())
