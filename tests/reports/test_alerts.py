import pytest

from sonovan.clinical.alert_rules import rules_of
from sonovan.clinical.alert_settings import AlertSettings
from sonovan.contracts.alerts import AboutFinding, AboutScreening, AboutSide, AboutVan
from sonovan.contracts.because import Because
from sonovan.contracts.frames import Descriptor
from sonovan.reports.alerts import alert_letter, alert_line, alert_words, notice_code
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.words import Words
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


SIGNED = ("outcome_missing", "large_growth")
RULES = (*(rule.name for rule in rules_of(AlertSettings())), "report_unsigned", *SIGNED)
LEFT = AboutSide(organ="breast", laterality="left")
STATES = {
    "raised": (Because(code="outline_unreliable"),),
    "corrected": (Because(code="side_changed", value="breast.side.left"),),
    "withdrawn": (Because(code="rule_no_longer_met"),),
}
UNSIGNED = {
    "en": ("unsigned", "No reader has", "still to be read"),
    "zh": ("未签署，", "（未签署）", "尚无医师", "仍须阅读"),
}


def letter(language: Language, rule: str, state: str, *because: str) -> str:
    """A letter with its subject."""
    reasons = tuple(Because(code=each) for each in because) or STATES[state]
    told = alert(LEFT, rule=rule, state=state, because=reasons)
    assert alert_words(told, language)["notice"] in alert_letter(told, "research", language)[1]
    return "\n".join(alert_letter(told, "research", language))


def says_unsigned(text: str, language: Language) -> bool:
    return any(each.casefold() in text.casefold() for each in UNSIGNED[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("rule", RULES)
def test_a_letter_calls_unsigned_what_no_reader_has_signed_and_nothing_else(
    rule: str, state: str, language: Language
) -> None:
    assert says_unsigned(letter(language, rule, state), language) is (rule not in SIGNED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", ["screening_void", "consent_withdrawn"])
@pytest.mark.parametrize("rule", RULES)
def test_of_a_screening_that_does_not_count_no_letter_says_that_it_is_still_to_be_read(
    rule: str, why: str, language: Language
) -> None:
    text = letter(language, rule, "withdrawn", why)
    assert not says_unsigned(text, language)
    assert {"en": "unless that is taken back", "zh": "若上述情况之后被取消"}[language] in text
    assert {"en": "neither finds nor rules out disease", "zh": "也不能排除疾病"}[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_that_was_signed_is_not_called_unsigned_when_its_alert_is_withdrawn(language: Language) -> None:
    assert not says_unsigned(letter(language, "report_unsigned", "withdrawn", "report_signed"), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_growth_by_another_womans_screening_is_open_and_not_gone(language: Language) -> None:
    text = letter(language, "large_growth", "withdrawn", "woman_changed")
    assert {"en": "is open until a reader signs again", "zh": "尚无定论"}[language] in text


@pytest.mark.parametrize(
    ("rule", "code"), [("report_unsigned", "unsigned_not_a_result"), ("large_growth", "not_a_result")]
)
def test_programs_are_told_by_a_code_whether_it_is_about_what_was_signed(rule: str, code: str) -> None:
    assert notice_code(alert(LEFT, rule=rule)) == code


def test_what_software_did_not_determine_is_not_called_undeterminable() -> None:
    """A reader who cannot tell brings the reader's points of TI-RADS; software that does not know adds nothing."""
    silent = Words("zh").descriptor("thyroid", Descriptor(name="margin", value=None, probability=0.4))
    assert silent == "未判定"
    assert silent != PHRASES["zh"].lexicon["thyroid.margin.undeterminable"]
    assert PHRASES["zh"].texts["change_undecided"] != PHRASES["zh"].lexicon["thyroid.margin.undeterminable"]
