"""A programme's counts of invitations: read from a file of counts, and no list of women is taken for one."""

import json
from pathlib import Path

import pytest

from sonovan.cli import build
from sonovan.cli.failures import run
from sonovan.contracts.errors import InvalidRecord
from sonovan.invited import read_invited
from sonovan.storage.catalogue.inviting import Invited

FILE = "\ufeffsite_code,month,organ,women\nsite-1,2026-03,breast,412\nsite-1,2026-03,thyroid,\n"


def test_counts_are_read_and_an_empty_one_takes_back_what_was_said() -> None:
    assert read_invited(FILE.encode()) == [
        Invited("site-1", "2026-03", "breast", 412), Invited("site-1", "2026-03", "thyroid", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("site_code,month,organ,women,name\nsite-1,2026-03,breast,1,Wang Fang\n", "no others"),
        ("site_code,month,organ,women\nsite-1,2026-03,breast,1,Wang Fang\n", "line 2: it has more fields"),
        ("site_code,month,organ,women\nWang,2026-03,breast,1\n", "line 2: site_code"),
        ("site_code,month,organ,women\nsite-1,2026-13,breast,1\n", "line 2: month"),
        ("site_code,month,organ,women\nsite-1,2026-03,liver,1\n", "line 2: organ"),
        ("site_code,month,organ,women\nsite-1,2026-03,breast,-1\n", "line 2: women"),
        ("site_code,month,organ,women\nsite-1,2026-03,breast,1e3\n", "line 2: women"),
        ("site_code,month,organ,women\nsite-1,2026-03,breast,1\nsite-1,2026-03,breast,2\n", "line 3: this site"),
        ("site_code,month,organ,women\n", "no count"),
        ("", "first line"),
    ],
)
def test_what_is_no_count_is_refused_by_its_line_without_any_text_of_the_file(text: str, told: str) -> None:
    with pytest.raises(InvalidRecord, match=told) as caught:
        read_invited(text.encode())
    assert "Wang" not in str(caught.value)


def test_other_encodings_and_large_files_are_refused() -> None:
    for data in ("site_code,month,organ,women\nsite-1,2026-03,乳,1".encode("gb18030"), b"x" * (2**20 + 1)):
        with pytest.raises(InvalidRecord):
            read_invited(data)


def test_the_command_keeps_the_counts_notes_who_gave_them_and_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, state = tmp_path / "invited.csv", str(tmp_path / "state")
    file.write_text(FILE, encoding="utf-8")

    def typed(*words: str) -> int:
        return run(build(), ["programme", "invited", *words, "--state", state])

    assert typed(str(file)) == 2, "nobody says who counted"
    assert typed(str(file), "--by", "Wang Fang") == 2
    capsys.readouterr()
    assert typed() == 0
    assert "nobody said" in capsys.readouterr().out
    assert typed(str(file), "--by", "op-3") == 0
    assert "412" in capsys.readouterr().out
    assert typed() == 0
    assert "412" in capsys.readouterr().out
    assert run(build(), ["audit", "show", "--json", "--state", state]) == 0
    acts = json.loads(capsys.readouterr().out)
    assert [(each["what"], each["by"], each["about"]) for each in acts] == [
        ("programme.invited", "op-3", {"counts": 2}),
    ]  # fmt: skip
