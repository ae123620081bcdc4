"""A fault of the centre or of a van in words, for whoever must mend it."""

from typing import Final, TypedDict

from sonovan.contracts.faults import FaultAlerted
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.strata import stratum_words
from sonovan.reports.words import Words

RUNBOOK: Final = "docs/runbook.md"


class FaultWords(TypedDict):
    """A fault in one language: whose it is, what it is, its figures, and where to read what to do."""

    worker: str
    state: str
    fault: str
    because: list[str]
    to_do: str


def fault_words(fault: FaultAlerted, language: Language) -> FaultWords:
    """Everything that a person needs to read of a fault."""
    phrases, words = PHRASES[language], Words(language)
    return FaultWords(
        worker=_whose(fault, words),
        state=words.text("fault_raised") if fault.state == "raised" else words.text("fault_ended"),
        fault=phrases.faults[fault.fault],
        because=[words.because(each) for each in fault.because],
        to_do=words.text("fault_to_do", place=f"{RUNBOOK}#{fault.fault}"),
    )


def _whose(fault: FaultAlerted, words: Words) -> str:
    if fault.measured is not None:
        return stratum_words(fault.measured, words)
    return f"{fault.stage}-{fault.instance}" if fault.van_id is None else words.text("about_van", van_id=fault.van_id)


def fault_in_every_language(fault: FaultAlerted) -> dict[Language, FaultWords]:
    """`fault_words` by language."""
    return {language: fault_words(fault, language) for language in LANGUAGES}


def fault_letter(fault: FaultAlerted, language: Language) -> tuple[str, str]:
    """A fault as a letter, in plain text: what it is called in a list of letters, and the letter."""
    told, words = fault_words(fault, language), Words(language)
    subject = words.text("fault_subject", state=told["state"], worker=told["worker"], fault=told["fault"])
    lines = [
        f"{told['worker']}: {told['fault']} ({told['state']})",
        *(f"- {each}" for each in told["because"]),
        words.moment(fault.as_of),
        *(["", told["to_do"]] if fault.state == "raised" else []),
    ]
    return subject, "\n".join(lines) + "\n"
