"""The network that answers clicks is there before anybody clicks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sonovan.console import prompts


def test_it_is_loaded_once_in_a_thread_of_its_own_whoever_asks_meanwhile() -> None:
    told: list[str] = []
    prompts._loaded.cache_clear()
    loading = prompts.load_ahead(told.append)
    with ThreadPoolExecutor(3) as others:
        found = set(others.map(lambda _: id(prompts.prompts()), range(3)))
    loading.join()
    assert len(found) == 1
    assert prompts._loaded.cache_info().misses == 1
    assert told == []


def test_where_it_cannot_be_loaded_the_console_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []
    monkeypatch.setenv("SONOVAN_MODELS_WEIGHTS_DIR", str(tmp_path))
    prompts._loaded.cache_clear()
    prompts.load_ahead(told.append).join()
    assert len(told) == 1
    assert told[0].startswith("clicks on pictures are not answered: ")
