"""Suppliers' scorecards: each figure beside one counted apart from the rows it is stated on."""

import datetime as dt
import statistics

import pytest
import sqlalchemy as sa

from config.nodes.journal import Context
from supply.membership import scorecards
from supply.network.recalls.upstream_claims import UpstreamClaim
from supply.orders import suppliers
from supply.orders.purchases import Purchase, PurchaseLine
from tests.supply.road import AT, DAY, OPERATOR, WAREHOUSE, Country, make_country

FIRST = DAY - dt.timedelta(days=30)
AT_END = AT
# of each purchase: days ago ordered, days promised, days it took (None: not here), [(sku, pack, cost, packs, came)]
BOUGHT = [
    (60, 3, 3, [("bread", 6, 900, 10, 60), ("apple", 5000, 1000, 2, 10_000)]),  # before: prices to compare with
    (28, 3, 3, [("bread", 6, 900, 10, 60), ("apple", 5000, 1100, 4, 20_000)]),
    (20, 3, 5, [("bread", 12, 1890, 4, 40), ("apple", 5000, 1100, 4, 25_000)]),
    (12, 3, 8, [("bread", 12, 1890, 5, 0), ("tea", 10, 2000, 1, 10)]),
    (9, 3, None, [("bread", 12, 1800, 3, None)]),
    (2, 3, None, [("bread", 12, 1800, 3, None)]),  # is due tomorrow
]


def _lay_in(country: Country) -> None:
    with country.network.write() as session:
        ctx = Context(session, OPERATOR, AT)
        suppliers.write_contact(ctx, "network", "mill", suppliers.Contact("The mill"))
        for n, (ago, promised, took, lines) in enumerate(BOUGHT):
            ordered = AT - dt.timedelta(days=ago)
            received = None if took is None else ordered + dt.timedelta(days=took)
            session.add(
                Purchase(store_id=WAREHOUSE, id=f"p{n}", purchase_no=n, supplier_id="mill", order_day=ordered.date(),
                         expected_day=ordered.date() + dt.timedelta(days=promised), proposed_at=ordered,
                         ordered_at=ordered, received_at=received, state="ordered" if took is None else "received")
            )  # fmt: skip
            session.flush()
            for sku, pack, cost, packs, came in lines:
                session.add(PurchaseLine(store_id=WAREHOUSE, purchase_id=f"p{n}", sku=sku, name=sku, pack_qty=pack,
                                         pack_cost_minor=cost, packs=packs, received_qty=came, why={}))  # fmt: skip
        for n, (state, credited) in enumerate((("open", 0), ("credited", 700), ("refused", 0))):
            session.add(
                UpstreamClaim(id=f"c{n}", recall_id=f"r{n}", supplier_id="mill", sku="bread", state=state, qty=6,
                              claimed_minor=1000, credited_minor=credited, parts=[], returns=[],
                              claimed_at=AT - dt.timedelta(days=5 + 20 * n), claimed_by="Olivia")
            )  # fmt: skip


@pytest.fixture
def mill(tmp_path) -> scorecards.Scorecard:
    country = make_country(tmp_path, lay_in=_lay_in)
    with country.network.read() as session:
        (found,) = scorecards.look(session, FIRST, DAY, at=AT_END)
        session.expunge_all()
    return found


def test_lead_time_is_that_of_what_was_due_and_came_and_what_did_not_come_is_late(mill):
    took = [3, 5, 8]
    assert (mill.lead.count, mill.lead.mean_days) == (3, pytest.approx(statistics.mean(took)))
    assert mill.lead.spread_days == pytest.approx(statistics.stdev(took))
    assert (mill.due, mill.lead.late, mill.lead.lost) == (4, 2, 1), "what is not due yet is no fault"
    assert mill.late_bp == 7500


def test_fill_rate_counts_lines_in_full_and_packs_never_above_what_was_ordered(mill):
    due = [line for _ago, _promised, _took, lines in BOUGHT[1:5] for line in lines]
    assert (mill.lines, mill.lines_full) == (len(due), 4)
    packs = sum(min((came or 0) / pack, packs) for _sku, pack, _cost, packs, came in due)
    assert mill.filled_packs / 1_000_000 == pytest.approx(packs, abs=1e-5)
    assert mill.units_bp == round(10_000 * packs / sum(packs for *_rest, packs, _came in due))


def test_a_price_change_is_between_what_two_purchases_really_cost_whatever_the_pack(mill):
    found = [(one.sku, one.purchase_id, one.before_minor, one.after_minor, one.change_bp, one.effect_minor)
             for one in mill.changes]  # fmt: skip
    assert sorted(found) == [
        ("apple", "p1", 1000, 1100, 1000, 400),
        ("bread", "p2", 1800, 1890, 500, 360),
        ("bread", "p4", 1890, 1800, -476, -270),
    ]
    assert (mill.change_bp, mill.effect_minor) == (341, 490)


def test_claims_are_those_made_in_the_period(mill):
    assert (mill.claims.made, mill.claims.open, mill.claims.settled) == (2, 1, 1)
    assert (mill.claims.claimed_minor, mill.claims.granted_minor) == (2000, 700)


def test_deliveries_to_stores_are_measured_by_what_the_stores_ordered_and_counted(tmp_path):
    country = make_country(tmp_path)
    country.order("S1", {"bread": 2, "tea": 2})
    country.send_out()
    country.take_in("S1", [("tea", 10, "short")], at=AT + dt.timedelta(days=2))
    country.deliver(at=AT + dt.timedelta(days=2))
    with country.network.read() as session:
        (card,) = scorecards.look(session, DAY, DAY + dt.timedelta(days=7), at=AT)
        assert (card.upstream, card.due, card.lead.mean_days, card.lead.late) == (False, 1, 2.0, 1)
        assert (card.ordered_minor, card.received_minor) == (2 * 900 + 2 * 2500, 2 * 900 + 2500)
        assert card.lines_bp is None
        assert session.scalar(sa.select(sa.func.count()).select_from(Purchase)) == 0
