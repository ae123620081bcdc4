"""What the console says, in every language: one module per area, each with `ENGLISH` and `CHINESE` of equal keys.

Terms of the field (organs, findings, reasons) stand in `sonovan.reports.phrases` and are not said again here.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sonovan.console.phrases import figures, following, measured, people, reading, rejected, shell, signing, worklist
from sonovan.reports.phrases import Language
from sonovan.reports.signed_words import SignedWords

AREAS: Final = (shell, people, reading, worklist, signing, following, figures, measured, rejected)


def _gathered(parts: list[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        twice = found.keys() & part.keys()
        if twice:
            raise ValueError(f"phrases stand twice: {', '.join(sorted(twice))}")
        found |= part
    return found


PHRASES: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": _gathered([each.ENGLISH for each in AREAS]),
    "zh": _gathered([each.CHINESE for each in AREAS]),
}


class ConsoleWords(SignedWords):
    """The words of the report, and those of the console."""

    def __init__(self, language: Language = "en") -> None:
        super().__init__(language)
        self._own = PHRASES[language]

    def say(self, name: str, /, **figures: object) -> str:
        """A label or sentence of the console. Raises KeyError for a name that the catalogue does not have."""
        return self._own[name].format(**figures)

    def moment_of(self, told: object) -> str:
        """A time as the catalogue gives it (text in SQLite), to the minute."""
        at = told if isinstance(told, datetime) else datetime.fromisoformat(str(told).replace("Z", "+00:00"))
        return self.moment(at)

    def day_of(self, told: object) -> str:
        """A day as the catalogue gives it."""
        return self.day(date.fromisoformat(str(told)[:10]))

    def action(self, code: str) -> str:
        """What is recommended, where it is not known after how many months."""
        return self.say("some_months") if code == "follow_up" else self.sign(f"action_{code}")

    def script(self, prefix: str) -> dict[str, str]:
        """Labels and sentences whose names begin so, for a script, by the rest of their names; figures stay `{…}`."""
        return {name.removeprefix(prefix): text for name, text in self._own.items() if name.startswith(prefix)}

    def has(self, name: str) -> bool:
        """Whether there is such a label or sentence."""
        return name in self._own
