import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sonovan.contracts.alerts import (
    About,
    AboutFinding,
    AboutScreening,
    AboutSide,
    AboutVan,
    LesionAlerted,
    about_key,
)
from sonovan.contracts.because import Because
from sonovan.contracts.ids import alert_id
from tests.clinical.records import NOON, OTHER_SCREENING, SCREENING, sha

ORGANS = st.sampled_from(["breast", "thyroid"])
SIDES = st.sampled_from(["left", "right", "isthmus", None])
ABOUTS = st.one_of(
    st.builds(AboutFinding, finding_id=st.integers(1, 3).map(lambda n: sha(str(n))), organ=ORGANS, laterality=SIDES),
    st.builds(AboutSide, organ=ORGANS, laterality=SIDES),
    st.builds(AboutScreening),
    st.builds(AboutVan, van_id=st.sampled_from(["van-1", "van-2"])),
)


def alert(about: About, **other: object) -> LesionAlerted:
    fields: dict[str, object] = {
        "alert_id": alert_id(about_key(SCREENING, about), "a_rule"),
        "screening_id": SCREENING,
        "revision_id": sha("revision"),
        "raised_in": sha("revision"),
        "about": about,
        "state": "raised",
        "severity": "suspicious",
        "rule": "a_rule",
        "rules_version": "site-1",
        "because": (Because(code="frames_outlined", value=3),),
        "evidence": (),
        "as_of": NOON,
    }
    return LesionAlerted.model_validate({**fields, **other})


@given(ABOUTS)
def test_an_alert_about_anything_survives_the_wire(about: About) -> None:
    assert LesionAlerted.decode(alert(about).encode()) == alert(about)


@given(ABOUTS, ABOUTS)
def test_two_alerts_have_one_id_only_if_they_are_about_the_same(one: About, other: About) -> None:
    same = one == other
    if isinstance(one, AboutFinding) and isinstance(other, AboutFinding):
        same = one.finding_id == other.finding_id  # a lesion whose side was corrected is the same lesion
    assert (alert(one).alert_id == alert(other).alert_id) is same


@pytest.mark.parametrize(
    ("about", "same"),
    [(AboutSide(organ="breast", laterality="left"), False), (AboutScreening(), False), (AboutVan(van_id="v"), True)],
)
def test_a_side_and_a_screening_are_of_their_screening_a_van_is_of_all(about: About, same: bool) -> None:
    assert (about_key(SCREENING, about) == about_key(OTHER_SCREENING, about)) is same


@pytest.mark.parametrize("severity", ["", "benign", "critical"])
def test_a_severity_that_nobody_knows_is_refused(severity: str) -> None:
    with pytest.raises(ValidationError):
        alert(AboutScreening(), severity=severity)


def test_an_alert_without_a_reason_is_refused_unless_its_reasons_are_withheld() -> None:
    with pytest.raises(ValidationError, match="needs a reason"):
        alert(AboutScreening(), because=())
    assert alert(AboutScreening(), because=(), withheld=True).because == ()


def test_no_sentence_fits_into_a_reason() -> None:
    with pytest.raises(ValidationError):
        Because(code="the lesion is gone")
