"""Where the counted cash goes: what stays and what leaves are the count to the cent, day after day."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Invalid
from config.nodes.journal import Context
from pos.printing.queue import PrintJob
from pos.reports import slips
from pos.store.store import Till
from pos.till import shift
from pos.till.shift import PutAway
from tests.builders import FLOAT_MINOR, STORE, OpenStore, open_store


def close(store: OpenStore, off_minor: int, keep_minor: int, to: str):
    """Count, close and put away; returns the closed shift."""
    with store.write() as session:
        found = shift.current(session, STORE, "T1")
        assert found is not None
        ctx = Context(session, store.wei, store.now)
        shift.close(ctx, found, found.expected_minor + off_minor, why="as counted", put_away=PutAway(keep_minor, to))
        slips.put_away_slip(ctx, session.get_one(Till, (STORE, "T1")), found)
        return found


def left(store: OpenStore) -> int | None:
    return store.read(lambda session: shift.float_left(session, STORE, "T1"))


def paper(store: OpenStore) -> list[PrintJob]:
    return store.read(
        lambda s: list(s.scalars(sa.select(PrintJob).where(PrintJob.kind == "cash").order_by(PrintJob.id)))
    )


DAYS = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(-2_000, 2_000), st.fractions(0, 1), st.sampled_from(shift.AWAY), st.booleans()
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS)
def test_no_cent_is_lost_between_the_sales_the_float_and_what_was_put_away(tmp_path_factory, days):
    store = open_store(tmp_path_factory.mktemp("days"))
    brought_minor = FLOAT_MINOR  # all the cash that ever came in
    away_minor = 0
    for sold, off_minor, share, to, put_back in days:
        for _ in range(sold):
            brought_minor += store.sell([("bread", 1)]).sale.total_minor
        expected = store.read(lambda session: shift.current(session, STORE, "T1").expected_minor)
        off_minor = max(off_minor, -expected)
        brought_minor += off_minor
        found = close(store, off_minor, int((expected + off_minor) * share), to)
        report = found.z_report
        assert report["kept_minor"] + report["put_away_minor"] == found.counted_minor
        away_minor += report["put_away_minor"]
        assert left(store) + away_minor == brought_minor
        store.clock.advance(86_400)
        differs_minor = 5 if put_back else 0
        store.open_till(left(store) + differs_minor)
        brought_minor += differs_minor
    assert store.findings() == []
    assert sum(job.document["amount_minor"] for job in paper(store)) == away_minor


def test_more_than_was_counted_does_not_stay_and_nothing_is_closed(store):
    with pytest.raises(Invalid, match="more than you counted") as refusal:
        close(store, 0, FLOAT_MINOR + 1, "safe")
    assert refusal.value.facts["field"] == "keep"
    found = store.read(lambda session: shift.current(session, STORE, "T1"))
    assert (found.state, found.is_settled) == ("open", False)


@pytest.mark.parametrize(("keep", "to"), [(-1, "safe"), (100, "pocket")])
def test_an_odd_wish_is_refused(store, keep, to):
    with pytest.raises(Invalid):
        close(store, 0, keep, to)


def test_a_slip_says_where_it_goes_and_nothing_prints_when_all_of_it_stays(store):
    close(store, 0, FLOAT_MINOR, "safe")
    assert paper(store) == []
    store.open_till(FLOAT_MINOR)
    found = close(store, 0, 4_000, "bank")
    [job] = paper(store)
    said = {name: job.document[name] for name in ("kind", "amount_minor", "kept_minor", "counted_minor", "z_no")}
    assert said == {
        "kind": "bank", "amount_minor": FLOAT_MINOR - 4_000, "kept_minor": 4_000, "counted_minor": FLOAT_MINOR,
        "z_no": found.z_no,
    }  # fmt: skip


def test_what_to_keep_is_proposed_as_the_shift_began_and_the_next_float_as_it_stayed(store):
    assert left(store) is None
    found = store.read(lambda session: shift.current(session, STORE, "T1"))
    assert [shift.usual_float(found, counted) for counted in (FLOAT_MINOR * 3, 500)] == [FLOAT_MINOR, 500]
    close(store, 0, 2_500, "safe")
    assert left(store) == 2_500
    store.clock.advance(dt.timedelta(days=1).total_seconds())
    store.open_till(2_400)
    store.close_till()
    assert left(store) is None  # that close said nothing of it
