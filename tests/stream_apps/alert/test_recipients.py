import pytest

from sonovan.contracts.alerts import SEVERITIES
from sonovan.contracts.errors import Fatal
from sonovan.contracts.settings import read_settings
from sonovan.stream_apps.alert.recipients import everybody, ladder_of
from sonovan.stream_apps.alert.rule_file import RuleFile
from sonovan.stream_apps.alert.settings import AlertSettings

HOOK = {"webhook_url": "https://a.example/s3cret", "webhook_secret": "sixteen letters!"}
MAIL = {"smtp_host": "127.0.0.1", "smtp_from": "sonovan@a.example"}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> AlertSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"SONOVAN_ALERT_{name.upper()}", value)
    return read_settings(AlertSettings)


def file(**recipients: dict[str, str]) -> RuleFile:
    return RuleFile.model_validate({"format": 1, "version": "site-1", "recipients": recipients})


async def send(_topic: str, _key: bytes, _value: bytes) -> int:
    return 0


PAGER = file(pager={"webhook": "https://pager.example/hook"})
NURSE = file(nurse={"mail": "nurse@a.example"})


def test_without_a_file_the_webhook_is_told_of_everything_and_without_one_the_topic_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert everybody(given(monkeypatch), None, send, "research").keys() == {"topic"}
    settings = given(monkeypatch, **HOOK)
    assert everybody(settings, None, send, "research").keys() == {"topic", "webhook"}
    assert [rung.severity for rung in ladder_of(settings, None).rungs] == list(SEVERITIES)


def test_whoever_the_file_names_is_told_in_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, webhook_hosts="a.example, Pager.Example", **HOOK, **MAIL)
    both = file(pager={"webhook": "https://pager.example/hook"}, nurse={"mail": "nurse@a.example"})
    assert everybody(settings, both, send, "research").keys() == {"topic", "webhook", "pager", "nurse"}


def test_a_way_that_is_not_set_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="nurse, who is told by mail, and SONOVAN_ALERT_SMTP_HOST"):
        everybody(given(monkeypatch), NURSE, send, "research")
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_SECRET"):
        everybody(given(monkeypatch, webhook_hosts="pager.example"), PAGER, send, "research")


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_host": "mail.a.example"},
        {"smtp_from": "a@b.example"},
        {**MAIL, "smtp_host": "m.example", "smtp_security": "none"},
    ],
)
def test_mail_that_cannot_leave_or_is_open_to_all_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_SMTP"):
        given(monkeypatch, **wrong)


def test_no_secret_of_mail_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, **MAIL, smtp_user="u", smtp_password="s3cret")
    assert "s3cret" not in repr(settings) + repr(settings.mail_server)
