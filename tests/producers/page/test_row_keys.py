"""Keys of rows that come and go while somebody looks at them."""

from sonovan.producers.page.row_keys import KEYS, RowKeys


def test_a_row_keeps_its_key_whatever_comes_before_it_or_goes() -> None:
    keys = RowKeys()
    assert keys.of(["a", "b"]) == {"a": "1", "b": "2"}
    assert keys.of(["c", "b"]) == {"b": "2", "c": "3"}


def test_a_key_that_became_free_is_given_again_after_all_others() -> None:
    keys = RowKeys()
    given = [keys.of([row])[row] for row in "abcdefghij"]
    assert given == [*KEYS, "1"]


def test_rows_beyond_the_ninth_have_no_key_until_one_is_free() -> None:
    keys, rows = RowKeys(), list("abcdefghij")
    assert "j" not in keys.of(rows)
    assert keys.of(rows[1:])["j"] == "1"
