"""Queues: what the SQL of a queue finds is what is said of each row, and nobody who waits stands in none."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text

from sonovan.storage.catalogue.changes import moment
from sonovan.storage.catalogue.database import open_database
from sonovan.storage.catalogue.queues import QUEUES, Policy, condition_of, parameters, queues_of
from sonovan.storage.catalogue.tables_listed import LISTED
from sonovan.storage.catalogue.worklist import rows_of
from tests.storage.catalogue.listed import NOW, put, row

POLICIES = (
    Policy(),
    Policy(suspicious_from=0.5, negatives_share=0.25, overdue_after=timedelta(hours=6)),
    Policy(second_reader="called_back"),
    Policy(second_reader="all", arbitration=False),
)

ROWS = st.fixed_dictionaries(
    {
        "opened_at": st.sampled_from([None, *(NOW - timedelta(hours=each) for each in (-1, 0.5, 2, 3, 24, 72))]),
        "status": st.sampled_from([None, "preliminary", "incomplete", "complete"]),
        "stays": st.booleans(),
        "unseen": st.sampled_from([0, 0, 2]),
        "silenced": st.booleans(),
        "rank": st.sampled_from([0.0, -0.05, -0.1, -0.7, -2.3]),
        "waiting": st.booleans(),
        "signed_at": st.sampled_from([None, NOW]),
        "signed_revision_number": st.sampled_from([None, 1, 2]),
        "revision_number": st.sampled_from([None, 1, 2]),
        "to_arbitrate": st.booleans(),
        "single_reading": st.sampled_from([None, "called_back", "not_called_back"]),
    }
)


@pytest.mark.parametrize("policy", POLICIES, ids=["usual", "sampled", "called back read twice", "all read twice"])
def test_the_sql_of_each_queue_finds_the_rows_that_are_said_to_stand_in_it(
    policy: Policy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('queues') / 'catalog.sqlite'}")
    database.prepare()

    @given(told=st.lists(st.tuples(ROWS, st.booleans()), min_size=1, max_size=12))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def check(told: list[tuple[dict[str, Any], bool]]) -> None:
        made = [
            row(number=number, **each, **({"closed_at": None} if unclosed else {}))
            for number, (each, unclosed) in enumerate(told)
        ]
        with database.writing() as connection:
            connection.execute(delete(LISTED))
            put(connection, made)
            there = rows_of(connection, [each["screening_id"] for each in made])
            given_ = parameters(policy, NOW, moment)
            for queue in (each for each in QUEUES if each != "mine"):
                condition = condition_of(queue, policy)
                found = connection.execute(text(f"SELECT screening_id FROM listed WHERE {condition}"), given_).scalars()
                said = {name for name, each in there.items() if queue in queues_of(each, policy, NOW)}
                assert set(found) == said, queue
            for each in there.values():
                stands = queues_of(each, policy, NOW)
                if "waiting" in stands and policy.negatives_share == 1:
                    assert stands & {"couch", "suspicious", "incomplete", "negatives"}, each

    check()
    database.close()


def test_a_share_of_the_negatives_is_drawn_and_always_the_same(tmp_path: Any) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    database.prepare()
    made = [row(number=number) for number in range(4000)]
    policy = Policy(negatives_share=0.25)
    with database.writing() as connection:
        put(connection, made)
        there = rows_of(connection, [each["screening_id"] for each in made])
    drawn = {name for name, each in there.items() if "negatives" in queues_of(each, policy, NOW)}
    assert 850 < len(drawn) < 1150
    more = {name for name, each in there.items() if "negatives" in queues_of(each, Policy(negatives_share=0.5), NOW)}
    assert drawn < more, "a higher share adds to the sample and takes nothing out of it"
    assert Policy(negatives_share=1.0).drawn_below > "f" * 8
    database.close()
