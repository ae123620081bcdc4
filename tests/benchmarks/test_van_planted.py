"""What the hunt for identifiers plants, and that it finds each word in whatever way it stands."""

import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from pydicom import dcmread

from benchmarks.text.screens import CHINESE_FONT
from benchmarks.van_planted import WOMEN, files_of, of_nobody, under_a_line, unhidden, unusable
from tests.journeys.hunt import hits
from tests.journeys.van import sweep

font = pytest.mark.skipif(not CHINESE_FONT.is_file(), reason="no Chinese font (Debian: fonts-wqy-zenhei)")


@font
def test_every_word_is_planted_in_each_object_and_in_the_names_of_files(tmp_path: Path) -> None:
    woman = WOMEN[1]
    files = files_of(woman, tmp_path / "scanner", tmp_path / "clinic")
    of_nobody(woman, tmp_path / "scanner")
    unusable(woman, tmp_path / "scanner")
    found = hits(tmp_path, woman.words)
    pictures = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} - {
        str(files.sent[1].relative_to(tmp_path))
    }
    assert len(pictures) == 5
    for word in woman.words:
        assert pictures - set(found[word]) == set(), f"{word} is not in these"
    assert woman.chinese in str(files.put[0]), "a file's name says it too"
    report = dcmread(files.sent[1])
    assert woman.given in str(report), "and the text of a structured report"


@font
def test_a_line_that_can_still_be_read_is_counted_and_one_that_is_black_is_not() -> None:
    pictures, ink = under_a_line(sweep(2), WOMEN[0].line())
    hidden = [np.where(ink, 0, each) for each in pictures]
    assert unhidden([*pictures, *hidden], ink, 0.95) == len(pictures)


@pytest.mark.parametrize(
    "data",
    [
        "Xiuying 欧阳秀英".encode(),
        "XIUYING 欧阳秀英".encode("gb18030"),
        "xiuying 欧阳秀英".encode("utf-16-le"),
        json.dumps({"a": "Xiuying 欧阳秀英"}).encode(),
        f"/x/{quote('Xiuying')}/{quote('欧阳秀英')}".encode(),
    ],
)
def test_a_word_is_found_in_whatever_case_and_writing_it_stands(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(b"\0\1" + data + b"\2")
    (tmp_path / "b").write_bytes(b"Xiuyin 01")
    assert hits(tmp_path, ["Xiuying", "欧阳秀英", "Wanglei"]) == {"Xiuying": ["a"], "欧阳秀英": ["a"], "Wanglei": []}
