"""The databases of a centre: whether each answers, and whether its tables are those of this version."""

from collections.abc import Iterable
from dataclasses import dataclass

from sonovan.contracts.errors import Fatal, Transient
from sonovan.doctor.line import Line, Lines
from sonovan.storage.versions import Tables, tables_of


@dataclass(frozen=True, slots=True)
class Kept:
    """One database. name: of whom it is. head: the version that this program needs, None where tables have none."""

    name: str
    url: str
    setting: str
    schema: str
    head: str | None


def databases(all_kept: Iterable[Kept]) -> Lines:
    """A line for each database."""
    for kept in all_kept:
        try:
            found = tables_of(kept.url, kept.setting, kept.schema)
        except (Transient, Fatal) as error:
            remedy = f"put its backup back (docs/operations.md#backups), or correct {kept.setting}"
            yield Line("database", kept.name, str(error), remedy)
        else:
            yield line_of(kept, found)


def line_of(kept: Kept, found: Tables) -> Line:
    """The line of a database that answers."""
    if not found.there:
        return Line("database", kept.name, "not made yet; it is when what keeps it starts for the first time")
    if kept.head is None or found.version == kept.head:
        return Line(
            "database", kept.name, "answers" if kept.head is None else f"answers, tables of version {kept.head}"
        )
    told = f"tables of version {found.version}, this program needs {kept.head}"
    if found.version is not None and found.version > kept.head:
        return Line("database", kept.name, told, "a newer sonovan wrote it: install that version here as well")
    return Line("database", kept.name, told, f"start what keeps it: {kept.name} brings its tables up when it starts")
