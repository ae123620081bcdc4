import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sonovan.contracts.errors import Fatal
from sonovan.contracts.settings import read_settings


class Oven(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SONOVAN_OVEN_", extra="forbid")

    degrees: int = 180
    password: SecretStr


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_OVEN_PASSWORD", "hot")
    monkeypatch.setenv("SONOVAN_OVEN_DEGREES", "200")
    assert read_settings(Oven).degrees == 200


def test_an_unknown_setting_stops_the_start_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_OVEN_PASSWORD", "hot")
    monkeypatch.setenv("SONOVAN_OVEN_DEGREE", "200")
    with pytest.raises(Fatal, match="unknown setting SONOVAN_OVEN_DEGREE;"):
        read_settings(Oven)


def test_a_missing_setting_stops_the_start_by_name() -> None:
    with pytest.raises(Fatal, match="SONOVAN_OVEN_PASSWORD"):
        read_settings(Oven)


def test_a_wrong_setting_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_OVEN_PASSWORD", "hot")
    monkeypatch.setenv("SONOVAN_OVEN_DEGREES", "verysecret")
    with pytest.raises(Fatal, match="SONOVAN_OVEN_DEGREES") as caught:
        read_settings(Oven)
    assert "verysecret" not in str(caught.value)
