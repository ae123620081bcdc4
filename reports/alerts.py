"""An alert in words, for the person who is told: what it is about and why, in English and Chinese."""

from typing import Final, Literal, TypedDict, get_args

from sonovan.contracts.alerts import About, AboutFinding, AboutSide, AboutVan, LesionAlerted
from sonovan.contracts.because import Because
from sonovan.contracts.lexicon import Organ, Side
from sonovan.reports.words import UNSIGNED, UNSIGNED_ZH, place

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

NOTICES: Final[dict[Language, str]] = {"en": UNSIGNED, "zh": UNSIGNED_ZH}

ALERT_PHRASES: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "frames_outlined": "outlined on {value} frames",
        "key_frame_area": "{value:.1f} mm² on the key frame",
        "key_frame_area_px": "area {value} px on the key frame (no scale)",
        "mean_score": "mean score {value:.2f}",
        "unconfirmed": "unconfirmed: on none of these frames did the network's second step draw it",
        "finding_merged": "the lesion was merged into another",
        "finding_withdrawn": "the lesion is no longer found",
        "rule_no_longer_met": "the rule is no longer met",
        "worklist": "to be read in its turn",
        "suspicious": "suspicious",
        "urgent": "urgent",
        "raised": "raised",
        "withdrawn": "withdrawn",
    },
    "zh": {
        "frames_outlined": "在 {value} 帧上勾画出病灶",
        "key_frame_area": "关键帧上面积 {value:.1f} mm²",
        "key_frame_area_px": "关键帧上面积 {value} 像素（无比例尺）",
        "mean_score": "平均得分 {value:.2f}",
        "unconfirmed": "未确认：网络的第二步在这些帧上均未勾画",
        "finding_merged": "该病灶已并入另一病灶",
        "finding_withdrawn": "该病灶已不再检出",
        "rule_no_longer_met": "已不再符合提醒规则",
        "worklist": "列入待阅",
        "suspicious": "可疑",
        "urgent": "紧急",
        "raised": "提醒",
        "withdrawn": "撤回",
    },
}
"""A phrase per code of an alert's reasons, severity and state; `{value}` is the reason's figure."""

_PLACES_ZH: Final[dict[Organ, dict[Side | None, str]]] = {
    "breast": {"left": "左侧乳腺", "right": "右侧乳腺"},
    "thyroid": {"left": "甲状腺左叶", "right": "甲状腺右叶", "isthmus": "甲状腺峡部"},
}
_ORGANS_ZH: Final[dict[Organ, str]] = {"breast": "乳腺（未记录侧别）", "thyroid": "甲状腺（未记录侧别）"}


class AlertWords(TypedDict):
    """An alert in one language; `notice` stands over it, `because` has a phrase per reason."""

    notice: str
    state: str
    severity: str
    about: str
    because: list[str]


def alert_words(alert: LesionAlerted, language: Language) -> AlertWords:
    """Everything that a person needs to read of an alert. An unknown code is shown as it is, with its figure."""
    phrases = ALERT_PHRASES[language]
    return AlertWords(
        notice=NOTICES[language],
        state=phrases[alert.state],
        severity=phrases[alert.severity],
        about=_about(alert.about, language),
        because=[_reason(each, language) for each in alert.because],
    )


def alert_line(alert: LesionAlerted) -> str:
    """What became of an alert, what it is about and why, in one line of English."""
    words = alert_words(alert, "en")
    return f"{words['state']}, {words['severity']} – {words['about']}: {'; '.join(words['because'])}"


def _about(about: About, language: Language) -> str:
    if isinstance(about, AboutFinding | AboutSide):
        if language == "zh":
            return _PLACES_ZH[about.organ].get(about.laterality, _ORGANS_ZH[about.organ])
        return place(about.organ, about.laterality)
    if isinstance(about, AboutVan):
        return f"筛查车 {about.van_id}" if language == "zh" else f"Van {about.van_id}"
    return "本次筛查" if language == "zh" else "The screening"


def _reason(because: Because, language: Language) -> str:
    phrase = ALERT_PHRASES[language].get(because.code)
    if phrase is not None and (because.value is not None or "{value" not in phrase):
        return phrase.format(value=because.value)
    figure = " ".join(str(part) for part in (because.value, because.unit) if part is not None)
    return f"{because.code.replace('_', ' ')} {figure}".rstrip()
