"""An alert in words, for the person who is told: what it is about and why, in every language of the catalogue."""

from collections.abc import Mapping
from typing import Final, Literal, TypedDict

from sonovan.clinical.alert_rules import CONSENT_WITHDRAWN, SCREENING_VOID
from sonovan.clinical.course_rules import (
    LARGE_GROWTH,
    OUTCOME_MISSING,
    REPORT_SIGNED,
    REPORT_UNSIGNED,
    WOMAN_CHANGED,
)
from sonovan.contracts.alerts import About, AboutFinding, AboutSide, AboutVan, LesionAlerted
from sonovan.contracts.results import IntendedUse
from sonovan.reports.document import UNSIGNED
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.words import Words

SHOWN: Final = 12
"""So much of an alert's id is shown to people; the commands take the beginning of one."""


NOT_A_RESULT: Final = "not_a_result"
"""The code of what stands over an alert on what readers signed, or on a screening of which nothing is said any more."""

RestsOn = Literal["unsigned", "signed", "nothing"]
"""What an alert tells of: a report that no reader has signed, what a reader signed, or a screening of whose pictures
nothing is said any more, for it is void or she withdrew her consent."""

_OVER: Final[Mapping[RestsOn, str]] = {
    "unsigned": "unsigned",
    "signed": "alert_on_signed",
    "nothing": "alert_on_nothing",
}
_BELOW: Final[Mapping[RestsOn, str]] = {
    "unsigned": "unsigned_meaning",
    "signed": "alert_on_signed_meaning",
    "nothing": "alert_on_nothing_meaning",
}
_RAISED: Final[Mapping[str, str]] = {
    REPORT_UNSIGNED: "to_do_sign",
    OUTCOME_MISSING: "to_do_outcome",
    LARGE_GROWTH: "to_do_growth",
}
"""What is to be done for an alert on the course of a screening, by its rule."""


class AlertWords(TypedDict):
    """An alert in one language; `notice` stands over it, `because` has a phrase per reason; then what to do."""

    notice: str
    state: str
    severity: str
    about: str
    because: list[str]
    to_do: str


def alert_words(alert: LesionAlerted, language: Language) -> AlertWords:
    """Everything that a person needs to read of an alert. An unknown code is shown as it is, with its figure."""
    phrases, words = PHRASES[language], Words(language)
    return AlertWords(
        notice=words.text(_OVER[rests_on(alert)]),
        state=phrases.alert_state[alert.state],
        severity=phrases.severity[alert.severity],
        about=_about(alert.about, words),
        because=[words.because(each) for each in alert.because],
        to_do=_to_do(alert, words),
    )


def rests_on(alert: LesionAlerted) -> RestsOn:
    """What an alert tells of, by which what stands over it is chosen."""
    codes = {each.code for each in alert.because}
    if not codes.isdisjoint({SCREENING_VOID, CONSENT_WITHDRAWN}):
        return "nothing"
    return "signed" if alert.rule in (OUTCOME_MISSING, LARGE_GROWTH) or REPORT_SIGNED in codes else "unsigned"


def notice_code(alert: LesionAlerted) -> str:
    """The code of what stands over an alert, for programs: `unsigned_not_a_result` or `not_a_result`."""
    return UNSIGNED if rests_on(alert) == "unsigned" else NOT_A_RESULT


def every_language(alert: LesionAlerted) -> dict[Language, AlertWords]:
    """`alert_words` by language."""
    return {language: alert_words(alert, language) for language in LANGUAGES}


def alert_line(alert: LesionAlerted, language: Language = "en", number: int | None = None) -> str:
    """What became of an alert, what it is about and why, in one line. number: its finding's in the report, from 1."""
    told, words = alert_words(alert, language), Words(language)
    why = words.text("semicolon").join(told["because"])
    about = told["about"] if number is None else words.text("about_number", about=told["about"], number=number)
    return words.text("alert_line", state=told["state"], severity=told["severity"], about=about, because=why)


def alert_letter(alert: LesionAlerted, use: IntendedUse, language: Language, rung: int = 0) -> tuple[str, str]:
    """An alert as a letter, in plain text: what it is called in a list of letters, and the letter.

    rung: above 0, nobody has answered those who were told before.
    """
    told, words = alert_words(alert, language), Words(language)
    rests = rests_on(alert)
    label = "letter_subject" if rests == "unsigned" else "letter_subject_not_a_result"
    subject = words.text(label, severity=told["severity"], about=told["about"], state=told["state"])
    lines = [
        told["notice"],
        "",
        words.text("letter_first", severity=told["severity"], about=told["about"], state=told["state"]),
        *(f"- {each}" for each in told["because"]),
        *([words.text("withheld_reasons")] if alert.withheld else []),
        "",
        *([words.text("letter_nobody_answered"), ""] if rung else []),
        told["to_do"],
        "",
        words.text("letter_screening", screening=alert.screening_id, moment=words.moment(alert.as_of)),
        words.text("letter_rule", alert=_short(alert), rule=words.rule(alert.rule), version=alert.rules_version),
        "",
        words.text(_BELOW[rests]),
        words.intended_use_notice(use),
    ]
    return subject, "\n".join(lines) + "\n"


def _to_do(alert: LesionAlerted, words: Words) -> str:
    """What whoever is told does next."""
    rests = rests_on(alert)
    if alert.state == "raised" and alert.rule in _RAISED:
        told = words.text(_RAISED[alert.rule], screening=alert.screening_id)
        return told + "\n" + words.text("to_do_answer", alert=_short(alert))
    if alert.state == "withdrawn" and rests == "nothing":
        return words.text("to_do_nothing")
    if alert.state == "withdrawn" and any(each.code == WOMAN_CHANGED for each in alert.because):
        return words.text("to_do_woman_changed")
    if alert.state == "withdrawn" and rests == "signed":
        return words.text("to_do_signed")
    by_state = PHRASES[words.language].to_do[alert.state]
    return by_state.format(alert=_short(alert), screening=alert.screening_id, by=alert.acknowledged_by)


def _short(alert: LesionAlerted) -> str:
    return alert.alert_id[:SHOWN]


def _about(about: About, words: Words) -> str:
    if isinstance(about, AboutFinding | AboutSide):
        return words.place(about.organ, about.laterality)
    if isinstance(about, AboutVan):
        return words.text("about_van", van_id=about.van_id)
    return words.text("about_screening")
