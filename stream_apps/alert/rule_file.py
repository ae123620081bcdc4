"""A site's alert rules in one file, checked as a whole before any of it counts.

TOML: `docs/alerts.md` has an example and the meaning of every field. What is not said keeps its default. A file that
cannot be used is refused with the line and the field of each fault.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.errors import Fatal
from sonovan.contracts.record import Part, Token
from sonovan.stream_apps.alert.ladder import TOPIC, WEBHOOK, Ladder, QuietHours, RecipientName, Rung, check_order
from sonovan.stream_apps.alert.step import RuleSet
from sonovan.stream_apps.alert.web_address import is_web_address

LARGEST: Final = 256 * 1024
"""Bytes of a file that is read."""

MailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$"
    ),
]


class Recipient(Part):
    """Somebody who can be told, by mail or by webhook. language: of a mail."""

    mail: MailAddress | None = None
    webhook: str | None = None
    language: Literal["en", "zh"] = "en"

    @field_validator("webhook")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not is_web_address(value):
            raise ValueError("must be https://host…; http:// is for a receiver on this machine")
        return value

    @model_validator(mode="after")
    def _is_reached_in_one_way(self) -> Self:
        if (self.mail is None) == (self.webhook is None):
            raise ValueError("is reached by mail or by webhook: name one of them")
        return self


class RuleFile(Part):
    """The whole file. version: the site's own name for these rules, which goes into every alert. faults: who is told
    when something of the centre itself must be mended, at any hour."""

    format: Literal[1]
    version: Token
    rules: AlertSettings = AlertSettings()
    recipients: dict[RecipientName, Recipient] = Field(default={}, max_length=64)
    ladder: tuple[Rung, ...] = Field(default=(), max_length=64)
    quiet_hours: QuietHours | None = None
    faults: tuple[RecipientName, ...] = Field(default=(), max_length=16)

    @field_validator("recipients")
    @classmethod
    def _leave_the_names_that_are_taken(cls, named: dict[str, Recipient]) -> dict[str, Recipient]:
        taken = sorted({TOPIC, WEBHOOK} & named.keys())
        if taken:
            raise ValueError(f"{taken[0]} is a name of the program's own")
        return named

    @field_validator("ladder")
    @classmethod
    def _rises(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        check_order(rungs)
        return rungs

    @model_validator(mode="after")
    def _knows_everybody_on_the_ladder(self) -> Self:
        unknown = sorted({*self.calls.names, *self.faults} - self.recipients.keys() - {WEBHOOK})
        if unknown:
            raise ValueError(f"ladder or faults name {', '.join(unknown)}, and [recipients] does not")
        return self

    @property
    def calls(self) -> Ladder:
        """Who is told, and when."""
        return Ladder(rungs=self.ladder, quiet=self.quiet_hours)

    @property
    def rule_set(self) -> RuleSet:
        """The rules with the file's numbers, under its version."""
        return RuleSet.of(self.rules, self.version)


def read_rule_file(path: Path) -> RuleFile:
    """The rules in a file. Raises Fatal with a line for each fault: where it stands, the field, and what is wrong."""
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Fatal(f"{path}: cannot be read: {why}") from None
    if len(data) > LARGEST:
        raise Fatal(f"{path}: larger than {LARGEST >> 10} KiB")
    try:
        return RuleFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Fatal(f"{path}: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        told = [_told(path, text, [str(part) for part in fault["loc"]], fault["msg"]) for fault in faults]
        raise Fatal("\n".join(told)) from None


def _told(path: Path, text: str, field: Sequence[str], message: str) -> str:
    line = line_of(text, field)
    place = f"{path}:{line}" if line else f"{path}"
    return f"{place}: {'.'.join(field) or 'the file'}: {message.removeprefix('Value error, ')}"


_TABLE: Final = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+?)\s*=")


def line_of(text: str, field: Sequence[str]) -> int | None:
    """The line, from 1, on which a field of a TOML document begins; of one that is missing, where its table does.

    field: keys and, in a list of tables, numbers, as pydantic names them. None where nothing of it stands in the text.
    """
    table: list[str] = []
    count: dict[str, int] = {}
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            name = header[2].replace('"', "").replace("'", "")
            table = [part.strip() for part in name.split(".")]
            if header[1] == "[[":
                count[name] = count.get(name, -1) + 1
                table.append(str(count[name]))
            path = table
        elif key := _KEY.match(line):
            path = [*table, *key[1].replace('"', "").replace("'", "").split(".")]
        else:
            continue
        common = min(len(path), len(field))
        if common > depth and list(field[:common]) == path[:common]:
            best, depth = number, common
    return best
