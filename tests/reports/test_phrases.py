"""Both languages know every code that a rule, a refusal, a status or the lexicon can produce, and every label."""

import ast
import re
from dataclasses import fields
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from sonovan.clinical import (
    adequacy,
    advice,
    alert_rules,
    birads,
    c_tirads,
    category,
    comparison,
    course_rules,
    key_frame,
    marks,
    nodules,
    referral,
    same_lesion,
    seen_partly,
    tirads,
)
from sonovan.clinical.alert_settings import AlertSettings
from sonovan.clinical.quality.agreement import MEAN_DICE, MEAN_IOU, SCREENINGS_REVIEWED
from sonovan.clinical.quality.drift import drift_code
from sonovan.contracts.alerts import SEVERITIES, LesionAlerted
from sonovan.contracts.amendments import REASONS_OF, AmendmentReason
from sonovan.contracts.because import Because
from sonovan.contracts.faults import FAULTS
from sonovan.contracts.lexicon import TERMS
from sonovan.contracts.promotions import PromotionReason
from sonovan.contracts.quality import FEATURES
from sonovan.contracts.reasons import REASONS
from sonovan.contracts.results import IntendedUse, Level, Status
from sonovan.contracts.van import EXCUSES
from sonovan.models.heads import trust
from sonovan.models.picture import colour, quality
from sonovan.producers.gateway import intake
from sonovan.reports.phrases import LANGUAGES, PHRASES, Language
from sonovan.reports.phrases.shape import lexicon_key
from sonovan.reports.words import Words
from sonovan.stream_apps import faults
from sonovan.stream_apps.alert import van_faults

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
NO_REASONS = {"adequate", "usable", "limited", "inadequate", "not_examined", "unknown", "malignant_range", "worklist",
              "complete", "preliminary", "breast", "laterality", "region", "organ",
              "quality", "level", "reasons", "finding", "suspicious", "decision_support", "withheld", "category",
              "malignant", "malignant_withheld", "findings", "categories", "advice", "value", "rule", "because",
              "regions", "lesion", "risk", "mm", "px", "a", "software", "finding_id", "still_unseen",
              "side", "screening", "van", "void", "reader", "uncategorised", "clinical_advice", "adequacy",
              "h", "d", "interval_cancer", "lost_to_follow_up", "not_diagnostic", "not_known", "recorded_by_mistake",
              "new", "seen_before", "not_found_again", "undecided", "no_lesion", "location"}  # fmt: skip
"""Words in the modules of rules that are no reason: names of fields, levels, units."""
MODULES = (
    adequacy, advice, alert_rules, birads, c_tirads, category, comparison, course_rules, key_frame, marks, nodules,
    referral, same_lesion, seen_partly, tirads,
)  # fmt: skip
LEXICON = {text for term in TERMS for text in (term.name, *term.words)} - {"motion"}
"""Words of the lexicon are no reasons."""
BY_RULE = {referral.DIAGNOSTIC_REFERRAL, nodules.BIOPSY_BY_SIZE, nodules.FOLLOW_UP_BY_SIZE}
"""Clinical advice, each with a sentence."""
ALERT_RULES = {rule.name for rule in alert_rules.rules_of(AlertSettings())} | course_rules.COURSE_RULES
RULES = {category.BREAST_NOT_ADEQUATE, birads.BREAST_LESION, birads.MOST_WORRISOME_FINDING, tirads.ACR_TI_RADS,
         c_tirads.C_TI_RADS, *BY_RULE, *advice.OF_OPERATION, *ALERT_RULES}  # fmt: skip


def spelled_in(module: object) -> set[str]:
    """Every string in a module's code that is spelled like a code."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in strings if CODE.fullmatch(text)}


def refusals() -> set[str]:
    """What the models give as the reason of a panel that cannot be assessed."""
    return spelled_in(quality) | set(trust.REASONS.values()) | {colour.DOPPLER, colour.ELASTOGRAPHY}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: Language) -> None:
    given = set().union(*map(spelled_in, MODULES)) - NO_REASONS - RULES - LEXICON
    given |= set(adequacy.EXCUSED.values()) | spelled_in(van_faults) - set(FAULTS) - {"s", "h", "raised", "ended"}
    given |= set(get_args(PromotionReason))
    given |= set(get_args(AmendmentReason)) | spelled_in(faults) - set(FAULTS) - {
        "s",
        "cuda",
        "tensorrt",
        "raised",
        "ended",
    }
    given |= {drift_code(each) for each in FEATURES} | {MEAN_DICE, MEAN_IOU, SCREENINGS_REVIEWED}
    known = set(PHRASES[language].reasons)
    assert given | refusals() | REASONS <= known, "a code without words"
    assert known <= given | refusals() | REASONS, "words that no code needs"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_and_its_advice_has_words(language: Language) -> None:
    assert set(PHRASES[language].rules) == RULES
    assert set(PHRASES[language].advice) == BY_RULE | advice.OF_OPERATION - {advice.READER_MUST_REVIEW}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_and_word_of_the_lexicon_has_words(language: Language) -> None:
    wanted = {lexicon_key(term, word) for term in TERMS for word in (None, *term.words)}
    assert set(PHRASES[language].lexicon) == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_level_use_and_state_has_words(language: Language) -> None:
    phrases = PHRASES[language]
    assert set(phrases.status) == set(get_args(Status))
    assert set(phrases.level) == set(get_args(Level))
    assert set(phrases.intended_use) == set(get_args(IntendedUse))
    assert set(phrases.severity) == set(SEVERITIES)
    assert set(phrases.alert_state) == set(get_args(LesionAlerted.model_fields["state"].annotation))
    assert set(phrases.to_do) == set(phrases.alert_state)
    assert set(phrases.faults) == set(FAULTS)


def test_the_languages_have_the_same_phrases_with_the_same_figures() -> None:
    first, *others = PHRASES.values()
    for other in others:
        for field in fields(first):
            one, two = getattr(first, field.name), getattr(other, field.name)
            if field.name == "tag":
                assert one != two
                continue
            assert one.keys() == two.keys(), field.name
            for name in one:
                assert figures(one[name]) == figures(two[name]), f"{field.name} {name}"


def figures(phrase: str | tuple[str, ...]) -> set[str]:
    text = phrase if isinstance(phrase, str) else " ".join(phrase)
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_label_of_the_page_and_the_words_is_in_the_catalogue_and_every_phrase_is_used() -> None:
    sources = [
        *(ROOT / "reports/templates").glob("*.html"),
        ROOT / "sonovan/cli/screen.py",
        *(ROOT / "reports").glob("*.py"),
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for name in re.findall(r"text\(\"([a-z_0-9.]+)\"", code):
        assert name in PHRASES["en"].texts, name
    for name in PHRASES["en"].texts:
        counted = name.endswith((".one", ".many"))
        assert f'"{name}"' in code or f"'{name}'" in code or counted, f"no output uses the text {name}"


def test_no_chinese_phrase_is_left_in_english() -> None:
    phrases = PHRASES["zh"]
    told = {**phrases.texts, **phrases.reasons, **phrases.lexicon, **phrases.advice, **phrases.rules, **phrases.status}
    plain = {name for name, text in told.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert plain == {"acr_ti_rads_2017", "c_ti_rads_2020", "reported_sign", "outlined_regions",
                     "suggested_level", "points_of",
                     "unsigned_notice",
                     "alert_line", "colon", "comma", "semicolon", "brackets", "burned_in", "months",
                     "missing_frames", "letter_first", "place_and_region", "size_mm", "lateral_mm", "moment",
                     "least_share", "most_share", "share", "described", "length_mm", "tsh"}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_that_the_catalogue_lacks_is_shown_with_its_figure(language: Language) -> None:
    words = Words(language)
    assert words.because(Because(code="new_reason", value=4.5, unit="mm")) == "new reason 4.5 mm"
    assert words.reason("new_reason") == "new reason"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_withdrawn_finding_does_not_read_as_a_negative_result(language: Language) -> None:
    no_negative = {"en": "not a negative result", "zh": "不代表阴性结果"}[language]
    assert no_negative in Words(language).because(Because(code="finding_withdrawn"))
    assert no_negative in Words(language).text("no_region")


def test_a_share_says_of_what_it_is() -> None:
    found = Because(code="low_assessable_share", value=0.88, unit="1")
    assert Words("en").because(found) == "too many frames could not be assessed (88 % assessable)"
    assert Words("zh").because(found) == "无法评估的帧过多（可评估 88 %）"


GROUPS = (
    "error_", "nav_", "part_", "register_detail_", "told_", "waits_", "assigned_", "discarded_", "held_because_",
    "lamp_", "gain_", "excuse_", "amend_kind_", "live_preview_",
)  # fmt: skip
"""How phrases of the van's page begin whose names its code puts together."""


def test_every_phrase_of_the_vans_page_is_there_and_used() -> None:
    page = ROOT / "producers/page"
    code = "\n".join(path.read_text(encoding="utf-8") for path in [*page.rglob("*.html"), *page.glob("*.py")])
    named = set(re.findall(r"(?:say|van)\(\"([a-z_0-9]+)\"", code))
    known = set(PHRASES["en"].van)
    assert {name for name in named if not name.endswith("_")} - known == set()
    unused = {name for name in known if f'"{name}"' not in code}
    assert {name for name in unused if not name.startswith(GROUPS)} == set()
    refused = set(re.findall(r"Refused\(\"([a-z_]+)\"", code)) | set(re.findall(r"told\(asked, \"([a-z_]+)\"", code))
    assert {name for name in known if name.startswith("error_")} == {f"error_{code}" for code in refused}
    lamps = {f"lamp_{code}" for code in re.findall(r"\"([a-z]+_[a-z_]+)\"", (ROOT / "producers/lights.py").read_text())}
    assert {name for name in known if name.startswith("lamp_")} == lamps
    for group, codes in {
        "waits": set(intake.REASONS),
        "assigned": set(intake.ASSIGNING),
        "discarded": set(intake.DISCARDING),
        "excuse": set(EXCUSES),
        "amend_kind": set(REASONS_OF),
        "held_because": {"text_uncertain", "burned_in_annotation", "regions_uncertain"},
    }.items():
        assert {f"{group}_{code}" for code in codes} <= known


def test_the_vans_page_is_in_chinese_throughout() -> None:
    plain = {name for name, text in PHRASES["zh"].van.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert plain == set()
