import pytest

from sonovan.contracts.errors import Fatal
from sonovan.contracts.settings import read_settings
from sonovan.stream_apps.alert.settings import AlertSettings

SECRET = "sixteen letters!"


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> AlertSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"SONOVAN_ALERT_{name.upper()}", value)
    return read_settings(AlertSettings)


def test_nothing_needs_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch)
    assert settings.database_url is settings.webhook_url is None
    assert settings.rules_file is settings.mail_server is None


@pytest.mark.parametrize("name", ["smtp_user", "smtp_password"])
def test_a_login_that_smtp_cannot_send_is_refused_at_the_start_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(Fatal, match=f"SONOVAN_ALERT_{name.upper()}.*ASCII") as caught:
        given(monkeypatch, **{name: "geheimnis-ä"})
    assert "geheimnis" not in str(caught.value)


def test_a_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="unknown setting SONOVAN_ALERT_WEBHOK_URL"):
        given(monkeypatch, webhok_url="https://a.example/")


def test_what_is_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch, webhook_url="https://a.example/s3cret", webhook_secret="s3cret " * 3, database_url="x://s3cret"
    )
    assert "s3cret" not in repr(settings)
