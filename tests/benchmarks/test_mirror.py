"""What looking once loses is counted, and a lost lesion or too much Dice misses the bar."""

from benchmarks.mirror import SWEEPS, Looked, consequences, misses

KEPT = Looked("busi", 0.9, (0.80, 0.82), (True, True))
FAINT = Looked("busi", 0.03, (0.0, 0.4), (False, True))
FALSE = Looked(SWEEPS, 0.03, None, (False, True))
DARK = Looked(SWEEPS, 0.001, None, (False, False))
ALL = (KEPT, FAINT, FALSE, DARK)


def test_where_all_are_looked_at_twice_nothing_is_lost() -> None:
    found = consequences(ALL, 0.0001)
    assert found["dice_lost"] == {"busi": 0.0}
    assert (found["lesions_lost"], found["false_regions_spared"]) == (0, 0)
    assert found["looked_at_once"]["stills"] == 0
    assert misses(found) == []


def test_a_lesion_that_only_both_looks_outline_is_counted_as_lost() -> None:
    found = consequences(ALL, 0.04)
    assert found["dice_lost"] == {"busi": 0.2}
    assert (found["lesions_lost"], found["false_regions_spared"]) == (1, 1)
    assert found["looked_at_once"] == {"stills": 0.5, "stills, lesion": 0.5, SWEEPS: 1.0, f"{SWEEPS}, no lesion": 1.0}
    assert misses(found) == ["busi loses 0.2000 Dice", "1 lesions are lost"]


def test_a_value_below_the_faint_ones_spares_those_that_show_nothing_at_all() -> None:
    found = consequences(ALL, 0.02)
    assert found["lesions_lost"] == 0
    assert found["looked_at_once"][f"{SWEEPS}, no lesion"] == 0.5
