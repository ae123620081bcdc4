import json
from pathlib import Path

import pytest
import typer

from sonovan.cli import build
from sonovan.cli.alerts import answer_to, as_document, find, newest, told_of_trial
from sonovan.cli.failures import run
from sonovan.contracts.alerts import AlertAcknowledged, LesionAlerted
from sonovan.stream_apps.alert.ladder import Ladder, Rung
from sonovan.stream_apps.alert.trial import Trial, try_rules
from tests.clinical.records import NOON, finding
from tests.stream_apps.alert.scene import RULES, Stage, revision

LADDER = Ladder(
    rungs=(Rung(severity="suspicious", to=("nurse",)), Rung(severity="suspicious", after_min=45, to=("doctor",)))
)


def suspicious(number: int = 1) -> LesionAlerted:
    return Stage().take(revision(1, {}, findings=(finding(number, malignant=0.9, area_mm2=5.0),)))[0]


def a_trial() -> Trial:
    quiet = finding(2, area_mm2=4.0, laterality="right")
    first = revision(1, {}, findings=(finding(1, malignant=0.9, area_mm2=5.0), quiet))
    second = revision(2, {1: "gone"}, findings=(quiet,))
    return try_rules([second, first, second], RULES, LADDER)


def test_the_newest_record_of_each_alert_counts_and_is_found_by_the_beginning_of_its_id() -> None:
    one, other = suspicious(1), suspicious(2)
    gone = one.model_copy(update={"state": "withdrawn"})
    assert newest([one, other, gone]) == [gone, other]
    assert find([one, other], other.alert_id[:8]) == other
    for beginning in ("", "zz"):
        with pytest.raises(typer.BadParameter, match=r"alerts have|no alert has"):
            find([one, other], beginning)


def test_an_answer_names_what_it_answers() -> None:
    alert = suspicious()
    assert answer_to(alert, "dr-1") == AlertAcknowledged(
        alert_id=alert.alert_id, screening_id=alert.screening_id, raised_in=alert.raised_in, by="dr-1"
    )


def test_who_comes_second_is_told_who_was_first_and_a_name_is_refused() -> None:
    alert = suspicious()
    taken = alert.model_copy(update={"state": "acknowledged", "acknowledged_by": "dr-1", "acknowledged_at": NOON})
    with pytest.raises(typer.BadParameter, match="dr-1 has seen to it since 2025-03-04 12:00 UTC"):
        answer_to(taken, "dr-2")
    with pytest.raises(typer.BadParameter, match="nothing to answer"):
        answer_to(alert.model_copy(update={"state": "withdrawn"}), "dr-2")
    with pytest.raises(typer.BadParameter, match="never a name"):
        answer_to(alert, "Anna Müller")


def test_a_trial_shows_whom_the_rules_would_call_when_and_why() -> None:
    assert told_of_trial(a_trial(), "research") == [
        "UNSIGNED – NOT A RESULT",
        "revision 1 (complete), rule suspicious_lesion:",
        "  raised, suspicious – Left breast, finding 1: outlined on 5 frames; 5.0 mm² on the key frame",
        "  2025-03-04 12:00 UTC: topic",
        "  2025-03-04 12:00 UTC: nurse",
        "  2025-03-04 12:45 UTC: doctor",
        "revision 2 (complete), rule suspicious_lesion:",
        "  withdrawn, suspicious – Left breast: its region is no longer outlined, which is not a negative result",
        "no alert stands for finding 1, Right breast: 5 frames, 11 to 15, 0.16 s, 12.1 × 8.0 mm, area 4.0 mm²,"
        " region score 0.86",
    ]


def test_a_trial_as_json_withholds_what_the_intended_use_does() -> None:
    document = json.dumps(as_document(a_trial(), "research"))
    assert "malignant_score" not in document
    assert "malignant_score" in json.dumps(as_document(a_trial(), "decision_support"))


def test_where_no_rule_is_met_nobody_would_be_told() -> None:
    trial = try_rules([revision(1, {1: "harmless"})], RULES, LADDER)
    assert told_of_trial(trial, "research")[1] == "no rule is met: nobody would be told"


def test_a_sound_file_is_summed_up_and_a_faulty_one_refused_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('format = 1\nversion = "site-1"\n[rules.persistent_lesion]\non = false\n')
    assert run(build(), ["alerts", "test", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["rules site-1: sound", "  suspicious_lesion: suspicious"]
    path.write_text('format = 1\nversion = "site-1"\n[rules.persistent_lesion]\non = "perhaps"\n')
    assert run(build(), ["alerts", "test", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"{path}:4: rules.persistent_lesion.on: ")
