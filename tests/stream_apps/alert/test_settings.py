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


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_SECRET"):
        given(monkeypatch, webhook_url="https://a.example/")


def test_a_short_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="SONOVAN_ALERT_WEBHOOK_SECRET"):
        given(monkeypatch, webhook_url="https://a.example/", webhook_secret="short")


@pytest.mark.parametrize("name", ["smtp_user", "smtp_password"])
def test_a_login_that_smtp_cannot_send_is_refused_at_the_start_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(Fatal, match=f"SONOVAN_ALERT_{name.upper()}.*ASCII") as caught:
        given(monkeypatch, **{name: "geheimnis-ä"})
    assert "geheimnis" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "a.example",
            "ftp://s3cret",
            "https://",
            "https://s3cret x/",
            "http://[::1",
            "http://a:b/",
            "http://a..b/",
        ),
        *("http://a.example/s3cret", "http://127.0.0.1.a.example/", "http://10.0.0.1/", "http://localhost.a.example/"),
    ],
)
def test_what_is_no_web_address_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(Fatal) as caught:
        given(monkeypatch, webhook_url=url, webhook_secret=SECRET)
    assert str(caught.value).startswith("setting SONOVAN_ALERT_WEBHOOK_URL: ")
    assert "s3cret" not in str(caught.value)


def test_a_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match="unknown setting SONOVAN_ALERT_WEBHOK_URL"):
        given(monkeypatch, webhok_url="https://a.example/")


def test_what_is_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch, webhook_url="https://a.example/s3cret", webhook_secret="s3cret " * 3, database_url="x://s3cret"
    )
    assert "s3cret" not in repr(settings)
