"""The modality worklist: who is expected, as a scanner asks for it (C-FIND; PS3.4 annex K).

A woman stands in it under her slip number, as patient id and in the place of her name: what a scanner does not know it
cannot burn into a picture.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pydicom import DataElement, Dataset
from pydicom.sequence import Sequence

from sonovan.producers.gateway.register import Expected

_DATES: Final = frozenset({"DA"})
_AS_TEXT: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})


def answers(query: Dataset, entries: Iterable[Expected], station: str) -> Iterator[Dataset]:
    """One dataset for each woman that the query matches, with the attributes that it asks for.

    query: the identifier of a C-FIND. station: the title of the scanner that asks, for whoever may be scanned anywhere.
    """
    for entry in entries:
        item = worklist_item(entry, station)
        if matches(query, item):
            yield asked_for(query, item)


def worklist_item(entry: Expected, station: str) -> Dataset:
    """All that the worklist tells of a woman."""
    step = Dataset()
    step.Modality = "US"
    step.ScheduledStationAETitle = station
    step.ScheduledProcedureStepStartDate = entry.day.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = "000000"
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = _planned(entry)
    step.ScheduledProcedureStepID = "1"
    step.ScheduledStationName = ""
    step.ScheduledProcedureStepLocation = ""
    item = Dataset()
    item.AccessionNumber = entry.accession
    item.PatientName = item.PatientID = entry.slip
    item.StudyInstanceUID = entry.study
    item.RequestedProcedureID = entry.accession
    item.RequestedProcedureDescription = _planned(entry)
    for name in ("ReferringPhysicianName", "PatientBirthDate", "PatientSex", "PatientWeight", "AdmissionID",
                 "CurrentPatientLocation", "RequestingPhysician", "RequestedProcedurePriority", "MedicalAlerts",
                 "Allergies", "PatientState", "PregnancyStatus", "SpecialNeeds",
                 "PatientTransportArrangements", "ConfidentialityConstraintOnPatientDataDescription"):  # fmt: skip
        setattr(item, name, None if name in ("PatientWeight", "PregnancyStatus") else "")
    item.ReferencedStudySequence = Sequence()
    item.ReferencedPatientSequence = Sequence()
    item.RequestedProcedureCodeSequence = Sequence()
    item.ScheduledProcedureStepSequence = Sequence([step])
    return item


def matches(query: Dataset, item: Dataset) -> bool:
    """Whether every key with a value fits: single value, list of UIDs, wild card, range of dates, sequence.

    A key that the item does not have matches, as one without a value does (PS3.4 C.2.2.1.3).
    """
    return all(_fits(key, item[key.tag]) for key in query if key.tag in item and key.keyword != "SpecificCharacterSet")


def asked_for(query: Dataset, item: Dataset) -> Dataset:
    """The attributes of the item that the query names; of a sequence without keys all."""
    answer = Dataset()
    for key in query:
        if key.tag not in item:
            continue
        found = item[key.tag]
        if found.VR == "SQ" and key.value and len(key.value[0]):
            found = DataElement(key.tag, "SQ", Sequence([asked_for(key.value[0], each) for each in found.value]))
        answer.add(found)
    return answer


def _fits(key: DataElement, found: DataElement) -> bool:
    if key.VR == "SQ":
        wanted = key.value[0] if key.value else Dataset()
        return not len(wanted) or any(matches(wanted, each) for each in found.value)
    if key.value in (None, "", []):
        return True
    has, told = str(found.value or ""), [str(each) for each in key.value] if key.VM > 1 else [str(key.value)]
    if key.VR == "TM":
        return True  # nobody is given an hour here
    if key.VR in _DATES:
        return any(_in_range(each, has) for each in told)
    if key.VR in _AS_TEXT:
        return any(_wild(each, has) for each in told)
    return has in told


def _in_range(wanted: str, day: str) -> bool:
    first, dash, last = wanted.partition("-")
    if not dash:
        return day == first
    return (not first or first <= day) and (not last or day <= last)


def _wild(wanted: str, has: str) -> bool:
    """Letters of either size are one; * and ? stand for any signs."""
    pattern = "".join(".*" if each == "*" else "." if each == "?" else re.escape(each) for each in wanted.strip(" ^"))
    return re.fullmatch(pattern, has, re.IGNORECASE) is not None


def _planned(entry: Expected) -> str:
    """`breast left, breast right`: at most the 64 signs of a LO."""
    parts = dict.fromkeys(f"{each.organ} {each.side or ''}".strip() for each in entry.visit.planned or ())
    return ", ".join(parts)[:64]
