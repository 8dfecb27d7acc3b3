"""Settings: a bad value names its variable, the value and the remedy; a secret is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, entries, read_settings, unknown_variables


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in entries():
        monkeypatch.delenv(entry.variable, raising=False)


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("PORT", "abc", "give a whole number from 1 to 65535"),
        ("PORT", "70000", "give a whole number from 1 to 65535"),
        ("WEB_CONCURRENCY", "0", "give a whole number from 1 to 64"),
        ("HEADWATER_TICK_MS", "1.5", "give a whole number from 1 to 1000"),
        ("HEADWATER_LOG_LEVEL", "loud", "give debug, info, warning or error"),
        ("HEADWATER_ORIGINS", "ops.example.com", "give origins such as https://ops.example.com"),
        ("HEADWATER_INSECURE", "perhaps", "give 1 or 0"),
        ("HEADWATER_FRAME_ANCESTORS", "intranet.example.com", "give self, none, or origins"),
        ("HEADWATER_FRAME_ANCESTORS", "https://a.example.com/path", "give self, none, or origins"),
        ("HEADWATER_FRAME_ANCESTORS", "https://a.example.com;script-src", "give self, none, or origins"),
        ("HEADWATER_FRAME_ANCESTORS", "none https://a.example.com", "stands alone"),
        ("HEADWATER_FRAME_ANCESTORS", "*", "name the origins"),
        ("HEADWATER_SIGN_IN", "perhaps", "give 1 or 0"),
    ],
)
def test_a_bad_value_names_variable_value_and_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert str(error.value).startswith(f"{variable}: {value!r}: ")
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REDIS_URL", "http://user:canary@example.com"),
        ("DATABASE_URL", "mysql://user:canary@example.com/db"),
        ("HEADWATER_INGEST_KEYS", "press:canary"),
        ("HEADWATER_INGEST_KEYS", "canary"),
    ],
)
def test_a_bad_secret_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert str(error.value).startswith(f"{variable}: (not shown): ")
    assert "canary" not in str(error.value)
    assert "canary" not in repr(error.value.__cause__)


def test_all_bad_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "abc")
    monkeypatch.setenv("HEADWATER_THREADS", "many")
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == ["PORT", "HEADWATER_THREADS"]


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("REDIS_URL", "")
    assert read_settings() == Settings()


def test_lists_are_separated_by_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_INGEST_KEYS", "a:0123456789abcdef:flights,host  b:fedcba9876543210:*")
    monkeypatch.setenv("HEADWATER_ORIGINS", "https://Ops.example.com")
    found = read_settings()
    assert found.ingest_keys == ("a:0123456789abcdef:flights,host", "b:fedcba9876543210:*")
    assert found.origins == ("https://ops.example.com",)


def test_keys_and_broker_address_are_not_in_a_printed_settings_object() -> None:
    shown = repr(Settings(ingest_keys=("a:0123456789abcdef:*",), redis_url="redis://:canary@host"))
    assert "0123456789abcdef" not in shown
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8050"),
        ("0.0.0.0", "http://127.0.0.1:8050"),
        ("::", "http://[::1]:8050"),
        ("localhost", "http://localhost:8050"),
    ],
)
def test_the_printed_url_opens_on_this_machine(host: str, url: str) -> None:
    assert Settings(host=host, insecure=True).url == url


def test_without_any_broker_the_error_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"REDIS_URL: not set.*headwater up"):
        Settings(data=tmp_path).broker_url()


def test_a_misspelt_variable_is_noticed() -> None:
    assert unknown_variables({"HEADWATER_THREDS": "4", "HEADWATER_THREADS": "4", "OTHER": "x"}) == (
        "HEADWATER_THREDS: no such setting; did you mean HEADWATER_THREADS?",
    )
