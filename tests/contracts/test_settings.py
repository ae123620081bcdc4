import pytest

from sonovan.contracts.errors import Fatal
from sonovan.contracts.settings import known_variables, read_settings
from sonovan.storage.settings import ObjectStoreSettings
from sonovan.stream_apps.assess.settings import AssessSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_ASSESS_TICK_EVERY_S", "2.5")
    assert read_settings(AssessSettings).tick_every_s == 2.5


@pytest.mark.parametrize("name", ["SONOVAN_ASSESS_TICK_EVERY", "sonovan_assess_tick_every"])
def test_an_unknown_setting_stops_the_start_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "2.5")
    with pytest.raises(Fatal, match=rf"unknown setting {name} \(did you mean SONOVAN_ASSESS_TICK_EVERY_S\?\)"):
        read_settings(AssessSettings)


def test_a_variable_of_another_class_under_the_same_prefix_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_KAFKA_ASSESS_PASSWORD", "from .env")
    assert "SONOVAN_KAFKA_ASSESS_PASSWORD" in known_variables()
    monkeypatch.setenv("SONOVAN_S3_ENDPOINT", "minio:9000")
    monkeypatch.setenv("SONOVAN_S3_ACCESS_KEY", "assess")
    monkeypatch.setenv("SONOVAN_S3_SECRET_KEY", "secret")
    assert read_settings(ObjectStoreSettings).endpoint == "minio:9000"


def test_a_missing_setting_stops_the_start_by_name() -> None:
    with pytest.raises(Fatal, match="SONOVAN_S3_SECRET_KEY"):
        read_settings(ObjectStoreSettings)


def test_a_wrong_setting_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOVAN_ASSESS_TICK_EVERY_S", "verysecret")
    with pytest.raises(Fatal, match="SONOVAN_ASSESS_TICK_EVERY_S") as caught:
        read_settings(AssessSettings)
    assert "verysecret" not in str(caught.value)


def test_what_reports_may_show_is_named_with_commas_and_nothing_else_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(AssessSettings).report_shows == frozenset()
    monkeypatch.setenv("SONOVAN_ASSESS_REPORT_SHOWS", "slip_number, age")
    assert read_settings(AssessSettings).report_shows == {"slip_number", "age"}
    monkeypatch.setenv("SONOVAN_ASSESS_REPORT_SHOWS", "")
    assert read_settings(AssessSettings).report_shows == frozenset()
    monkeypatch.setenv("SONOVAN_ASSESS_REPORT_SHOWS", "name")
    with pytest.raises(Fatal, match="SONOVAN_ASSESS_REPORT_SHOWS"):
        read_settings(AssessSettings)
