"""What is kept in memory of coded frames."""

from sonovan.console.recent import Recent
from sonovan.models.picture.screens import Coded


def test_what_was_made_last_is_kept_within_the_bound_and_made_again_beyond_it() -> None:
    made = []

    def make(name: str) -> Coded:
        made.append(name)
        return Coded(b"0" * 40, "image/jpeg", 85)

    recent = Recent(100)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert len(recent.get(name, lambda name=name: make(name)).data) == 40  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]
