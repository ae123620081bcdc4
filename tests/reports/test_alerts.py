import pytest

from sonovan.contracts.alerts import AboutFinding, AboutScreening, AboutSide, AboutVan
from sonovan.contracts.because import Because
from sonovan.reports.alerts import alert_line, alert_words
from sonovan.reports.phrases import LANGUAGES, Language
from tests.clinical.records import sha
from tests.contracts.test_alerts import alert


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_stands_in_its_phrase_and_an_unknown_code_with_its_figure(language: Language) -> None:
    reasons = (
        Because(code="frames_outlined", value=7),
        Because(code="key_frame_area", value=12.34, unit="mm2"),
        Because(code="finding_merged", value=sha("other")),
        Because(code="new_code", value=4.5, unit="mm"),
        Because(code="plain_code"),
    )
    frames, area, merged, *unknown = alert_words(alert(AboutScreening(), because=reasons), language)["because"]
    assert "7" in frames
    assert "12.3 mm²" in area
    assert sha("other") not in merged
    assert unknown == ["new code 4.5 mm", "plain code"]


@pytest.mark.parametrize(
    ("about", "english", "chinese"),
    [
        (AboutFinding(finding_id=sha("1"), organ="thyroid", laterality="right"), "Right thyroid lobe", "甲状腺右叶"),
        (AboutSide(organ="breast", laterality="left"), "Left breast", "左侧乳腺"),
        (AboutSide(organ="breast", laterality=None), "Breast, side not recorded", "乳腺（未记录侧别）"),
        (AboutSide(organ="thyroid", laterality="isthmus"), "Thyroid isthmus", "甲状腺峡部"),
        (AboutScreening(), "The screening", "本次筛查"),
        (AboutVan(van_id="van-3"), "Van van-3", "筛查车 van-3"),
    ],
)
def test_what_it_is_about_is_named(about: AboutFinding, english: str, chinese: str) -> None:
    assert [alert_words(alert(about), language)["about"] for language in LANGUAGES] == [english, chinese]


def test_one_line_names_what_became_of_it_what_it_is_about_and_why() -> None:
    reasons = (Because(code="frames_outlined", value=5), Because(code="unconfirmed"))
    line = alert_line(alert(AboutSide(organ="breast", laterality="left"), because=reasons))
    assert line.startswith("raised, suspicious – Left breast: outlined on 5 frames; unconfirmed: ")


def test_a_line_says_which_finding_of_the_report_it_is_about() -> None:
    about = AboutFinding(finding_id=sha("1"), organ="breast", laterality="left")
    assert "Left breast, finding 2:" in alert_line(alert(about), number=2)
    assert "左侧乳腺，病灶 2：" in alert_line(alert(about), "zh", number=2)


@pytest.mark.parametrize(("language", "said"), [("en", "no probability of cancer"), ("zh", "并非患癌概率")])
def test_a_score_in_an_alert_is_no_probability_of_cancer(language: Language, said: str) -> None:
    reasons = (Because(code="mean_score", value=0.96, unit="1"),)
    (told,) = alert_words(alert(AboutScreening(), because=reasons), language)["because"]
    assert said in told
