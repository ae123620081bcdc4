"""What a language's catalogue must hold; `sonovan.reports.words` puts codes and figures into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sonovan.contracts.alerts import AlertState, Severity
from sonovan.contracts.faults import FaultCode
from sonovan.contracts.lexicon import Term
from sonovan.contracts.results import IntendedUse, Level, Status

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Phrases:
    """All that is said in one language.

    tag: as BCP 47 spells it, for the page.
    texts: labels and sentences, by name, with `{figure}` where one stands.
    intended_use: by use, its name and what it means.
    reasons: by code, what a rule found or why a frame, panel or record was refused; `{value}` is its figure.
    rules: by name, what a rule is called. advice: by rule, the sentence, with `{place}` and `{because}`.
    to_do: what whoever is told of an alert does next, by its state, with `{alert}`, `{screening}` and `{by}`.
    faults: by code, what is wrong with the centre.
    van: by name, what the page of the van's operator says.
    signed: by name, what readers conclude, what became of the women, the signed page and the woman's page.
    lexicon: by `lexicon_key`, every term and word of `sonovan.contracts.lexicon`.
    """

    tag: str
    texts: Mapping[str, str]
    intended_use: Mapping[IntendedUse, tuple[str, str]]
    status: Mapping[Status, str]
    level: Mapping[Level, str]
    severity: Mapping[Severity, str]
    alert_state: Mapping[AlertState, str]
    to_do: Mapping[AlertState, str]
    reasons: Mapping[str, str]
    rules: Mapping[str, str]
    advice: Mapping[str, str]
    faults: Mapping[FaultCode, str]
    van: Mapping[str, str]
    signed: Mapping[str, str]
    lexicon: Mapping[str, str]


def lexicon_key(term: Term, word: str | None = None) -> str:
    """`breast.margin` for an organ's term, `breast.margin.spiculated` for its word; `sex.female` without an organ."""
    return ".".join(part for part in (term.organ, term.name, word) if part is not None)
