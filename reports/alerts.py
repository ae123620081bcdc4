"""An alert in words, for the person who is told: what it is about and why, in every language of the catalogue."""

from typing import Final, TypedDict

from sonovan.contracts.alerts import About, AboutFinding, AboutSide, AboutVan, LesionAlerted
from sonovan.contracts.results import IntendedUse
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.words import Words

SHOWN: Final = 12
"""So much of an alert's id is shown to people; the commands take the beginning of one."""


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
        notice=words.text("unsigned"),
        state=phrases.alert_state[alert.state],
        severity=phrases.severity[alert.severity],
        about=_about(alert.about, words),
        because=[words.because(each) for each in alert.because],
        to_do=phrases.to_do[alert.state].format(
            alert=_short(alert), screening=alert.screening_id, by=alert.acknowledged_by
        ),
    )


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
    subject = words.text("letter_subject", severity=told["severity"], about=told["about"], state=told["state"])
    lines = [
        words.text("unsigned"),
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
        words.text("unsigned_meaning"),
        words.intended_use_notice(use),
    ]
    return subject, "\n".join(lines) + "\n"


def _short(alert: LesionAlerted) -> str:
    return alert.alert_id[:SHOWN]


def _about(about: About, words: Words) -> str:
    if isinstance(about, AboutFinding | AboutSide):
        return words.place(about.organ, about.laterality)
    if isinstance(about, AboutVan):
        return words.text("about_van", van_id=about.van_id)
    return words.text("about_screening")
