"""An alert in words, for the person who is told: what it is about and why, in every language of the catalogue."""

from typing import TypedDict

from sonovan.contracts.alerts import About, AboutFinding, AboutSide, AboutVan, LesionAlerted
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.words import Words


class AlertWords(TypedDict):
    """An alert in one language; `notice` stands over it, `because` has a phrase per reason."""

    notice: str
    state: str
    severity: str
    about: str
    because: list[str]


def alert_words(alert: LesionAlerted, language: Language) -> AlertWords:
    """Everything that a person needs to read of an alert. An unknown code is shown as it is, with its figure."""
    phrases, words = PHRASES[language], Words(language)
    return AlertWords(
        notice=words.text("unsigned"),
        state=phrases.alert_state[alert.state],
        severity=phrases.severity[alert.severity],
        about=_about(alert.about, words),
        because=[words.because(each) for each in alert.because],
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


def _about(about: About, words: Words) -> str:
    if isinstance(about, AboutFinding | AboutSide):
        return words.place(about.organ, about.laterality)
    if isinstance(about, AboutVan):
        return words.text("about_van", van_id=about.van_id)
    return words.text("about_screening")
