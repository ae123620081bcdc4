from pathlib import Path

import pytest

from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.errors import Fatal
from sonovan.stream_apps.alert.rule_file import read_rule_file

WHOLE = """\
format = 1
version = "guizhou-3"

[rules]
change_share = 0.3

[rules.suspicious_lesion]
severity = "urgent"
min_malignant = 0.2
words = ["breast.margin.spiculated"]

[rules.persistent_lesion]
on = false

[recipients.duty]
mail = "duty@hospital.example"
language = "zh"

[recipients."on-call"]
webhook = "https://pager.example/hook"

[[ladder]]
severity = "urgent"
to = ["webhook", "duty"]

[[ladder]]
severity = "urgent"
after_min = 30
to = ["on-call"]

[quiet_hours]
from = "20:00"
to = "07:00"
zone = "Asia/Shanghai"
hold = ["worklist"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def refused(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(Fatal) as caught:
        read_rule_file(path)
    return str(caught.value).replace(str(path), "F")


def test_a_whole_file_is_read(path: Path) -> None:
    path.write_text(WHOLE)
    file = read_rule_file(path)
    rules = file.rule_set
    assert [(rule.name, rule.severity) for rule in rules.rules] == [
        ("suspicious_lesion", "urgent"),
        ("not_rescanned", "worklist"),
        ("left_before_rescan", "worklist"),
        ("palpable_not_outlined", "worklist"),
    ]
    assert (rules.version, rules.change_share) == ("guizhou-3", 0.3)
    assert file.calls.names == {"webhook", "duty", "on-call"}
    assert file.quiet_hours is not None
    assert file.recipients["duty"].language == "zh"


def test_what_is_not_said_keeps_its_default(path: Path) -> None:
    path.write_text('format = 1\nversion = "a"\n')
    file = read_rule_file(path)
    assert file.rules == AlertSettings()
    assert file.calls.names == frozenset()


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("min_malignant = 0.2", "min_malignant = 2", "F:9: rules.suspicious_lesion.min_malignant: "),
        ("min_malignant = 0.2", "min_malignent = 0.2", "F:9: rules.suspicious_lesion.min_malignent: "),
        (
            '"breast.margin.spiculated"',
            '"breast.margin.spicy"',
            "F:10: rules.suspicious_lesion.words: breast.margin.spicy",
        ),
        ('severity = "urgent"\nafter_min', 'severity = "red"\nafter_min', "F:27: ladder.1.severity: "),
        ('["on-call"]', '["nobody"]', "F: the file: ladder or faults name nobody, and [recipients] does not"),
        ("[rules.persistent_lesion]", "[rules.persistant_lesion]", "F:12: rules.persistant_lesion: "),
        ("after_min = 30", "after_min = 0", "F:22: ladder: the rungs of urgent stand in no order"),
        ("https://pager", "http://pager", "F:20: recipients.on-call.webhook: must be https://host"),
        ('mail = "duty@hospital.example"', 'mail = "duty"', "F:16: recipients.duty.mail: "),
        ('mail = "duty@hospital.example"', 'mail = "duty@hospital..example"', "F:16: recipients.duty.mail: "),
        ('mail = "duty@hospital.example"', "", "F:15: recipients.duty: is reached by mail or by webhook"),
        ('version = "guizhou-3"', "", "F: version: Field required"),
        ("format = 1", "format = 2", "F:1: format: "),
        ('zone = "Asia/Shanghai"', 'zone = "Shanghai"', "F:34: quiet_hours.zone: is no time zone"),
        ("on = false", "on =", "F: Invalid value (at line 13, column 5)"),
        ("[recipients.duty]", "[recipients.topic]", "F:15: recipients: topic is a name of the program's own"),
    ],
)
def test_each_fault_is_told_with_its_line_and_field(path: Path, was: str, becomes: str, told: str) -> None:
    assert was in WHOLE
    assert refused(path, WHOLE.replace(was, becomes, 1)).startswith(told)


def test_every_fault_has_a_line_of_its_own_and_no_value_is_shown(path: Path) -> None:
    text = WHOLE.replace("0.2", "7").replace("duty@hospital.example", "s3cret")
    lines = refused(path, text).splitlines()
    assert [line.split(":")[1] for line in lines] == ["9", "16"]
    assert "s3cret" not in "".join(lines)


def test_a_file_that_is_not_there_or_no_text_is_named(path: Path) -> None:
    with pytest.raises(Fatal, match="cannot be read: No such file"):
        read_rule_file(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Fatal, match="not UTF-8"):
        read_rule_file(path)
    assert "larger than" in refused(path, "#" * 300_000)


def test_the_example_of_the_page_is_sound_and_says_the_defaults(path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    path.write_text(page.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    file, usual = read_rule_file(path), AlertSettings()
    assert file.rules.change_share == usual.change_share
    assert file.rules.persistent_lesion == usual.persistent_lesion
    assert file.rules.suspicious_lesion.min_malignant == usual.suspicious_lesion.min_malignant
