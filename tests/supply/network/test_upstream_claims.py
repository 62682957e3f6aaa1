"""What was recalled is claimed of whom it was bought of, once, at what it cost, and settled in the network's book."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import supply.sync.checks
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from pos.stock import batches, recall, stock
from pos.stock.ledger import Place
from supply.network.purchasing import purchasing
from supply.network.recalls import recalls, upstream_claims
from supply.network.recalls.upstream_claims import UpstreamEntry
from supply.orders import suppliers
from supply.orders.purchases import Purchase, PurchaseLine
from tests.supply.road import AT, DAY, OPERATOR, WAREHOUSE, Country, make_country
from tests.tampering import unlocked

BY = {"actor": OPERATOR, "at": AT}


def bought(
    session: Session, n: int, supplier_id: str | None, qty: int, pack_cost: int, batch: str | None = None
) -> None:
    """Take in a purchase of bread, in packs of six, so many days ago, and lay its lot in."""
    at = AT - dt.timedelta(days=n)
    session.add(
        Purchase(
            store_id=WAREHOUSE, id=f"p{n}", purchase_no=n, state="ordered", supplier_id=supplier_id, order_day=DAY,
            expected_day=DAY, proposed_at=at, ordered_at=at,
        )
    )  # fmt: skip
    session.flush()
    session.add(
        PurchaseLine(store_id=WAREHOUSE, purchase_id=f"p{n}", sku="bread", name="Bread", pack_qty=6,
                     pack_cost_minor=pack_cost, packs=qty // 6, why={})
    )  # fmt: skip
    session.flush()
    purchasing.receive(Context(session, OPERATOR, at), WAREHOUSE, f"p{n}")


def _mills(country: Country) -> None:
    """Let the warehouse have 24 of the old mill's and 12 of the new mill's, and S1 credited for 6 recalled units."""
    with country.network.write() as session:
        stock.count(Context(session, **BY), WAREHOUSE, "bread", 0, count_id="empty", found_in=Place.BACKROOM)
        for mill in ("old", "new"):
            contact = suppliers.Contact(f"The {mill} mill")
            suppliers.write_contact(Context(session, **BY), NETWORK, mill, contact)
        bought(session, 9, "old", 30, 600)
        bought(session, 2, "new", 12, 720)
        lots = session.scalars(sa.select(batches.Batch).where(batches.Batch.sku == "bread")).all()
        old = next(lot for lot in lots if lot.source_id == "p9")
        stock.dispatch(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="to-S1")
        batches.take_from(session, WAREHOUSE, [(old.id, 6)])
        stock.open_stock(Context(session, **BY), "S1", [("bread", 6)], source_id="came")
        recalls.call(Context(session, **BY), "bread", None, id="r1", why="glass", called_by="", afterwards="destroy")


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_mills)


def credited(session: Session, qty: int, recall_id: str = "r1") -> None:
    row = session.get_one(recall.Recall, ("S1", recall_id))
    row.taken_qty = row.settled_qty = qty
    session.flush()


def reported(session: Session, recall_id: str = "r1") -> list[tuple[str, int, int]]:
    rows = upstream_claims.owed(session, recall_id, at=AT)
    return [(one.supplier.id if one.supplier else "", one.qty, one.cost_minor) for one in rows]


def test_what_was_written_off_and_what_shops_were_credited_is_claimed_of_whom_it_was_bought_of_at_its_cost(country):
    with country.network.write() as session:
        assert reported(session) == [], "nobody has looked"
        recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 36)
        assert reported(session) == [("new", 12, 1440), ("old", 24, 2400)]
        credited(session, 6)
        assert reported(session) == [("new", 12, 1440), ("old", 30, 3000)], "the new mill's never left the warehouse"
        made = upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1")
        assert (made.qty, made.claimed_minor) == (30, 3000)
        assert upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1") is made, "a second click"
        assert reported(session) == [("new", 12, 1440)]
        with pytest.raises(Refused, match="There is nothing to claim from this supplier"):
            upstream_claims.claim(Context(session, **BY), "r1", "nobody", id="c2")
        with pytest.raises(NotFound):
            upstream_claims.claim(Context(session, **BY), "r9", "old", id="c2")


def test_what_nobody_known_here_brought_is_claimed_of_nobody(country):
    with country.network.write() as session:
        credited(session, 9)
        assert reported(session) == [("old", 6, 600), ("", 3, 0)], "six left the warehouse"


def test_goods_of_a_batch_are_of_the_purchase_whose_lot_bears_it_and_any_other_of_the_newest_that_left(country):
    with country.network.write() as session:
        lots = {one.source_id: one for one in session.scalars(sa.select(batches.Batch))}
        stock.dispatch(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="to-S1-too")
        batches.take_from(session, WAREHOUSE, [(lots["p2"].id, 6)])
        credited(session, 6)
        assert reported(session) == [("new", 6, 720)]
        lots["p9"].batch = "A"
        for row in session.scalars(sa.select(recall.Recall)):
            row.batch = "A"
        session.flush()
        assert reported(session) == [("old", 6, 600)]


def test_units_a_purchase_brought_are_claimed_for_one_recall_and_not_again_for_the_next(country):
    with country.network.write() as session:
        lots = {one.source_id: one for one in session.scalars(sa.select(batches.Batch))}
        stock.dispatch(Context(session, **BY), WAREHOUSE, [("bread", 6)], source_id="to-S1-too")
        batches.take_from(session, WAREHOUSE, [(lots["p2"].id, 6)])
        credited(session, 4)
        assert upstream_claims.claim(Context(session, **BY), "r1", "new", id="c1").qty == 4, "of six that left"
        recalls.lift(Context(session, **BY), "r1", why="tested")
        recalls.call(Context(session, **BY), "bread", None, id="r2", why="wire", called_by="", afterwards="destroy")
        recalls.look_through(Context(session, **BY), WAREHOUSE, "r2", 30)
        assert reported(session, "r2") == [("new", 6, 720), ("old", 24, 2400)]
        credited(session, 6, "r2")
        assert reported(session, "r2") == [("new", 8, 960), ("old", 28, 2800)], "two more of the new mill's had left"


def test_a_supplier_has_one_open_claim_of_a_recall_and_what_comes_to_light_is_claimed_after_it(country):
    with country.network.write() as session:
        credited(session, 4)
        upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1")
        credited(session, 6)
        assert reported(session) == [("old", 2, 200)]
        with pytest.raises(Conflict, match="has an open claim"):
            upstream_claims.claim(Context(session, **BY), "r1", "old", id="c2")
        upstream_claims.settle(Context(session, **BY), "c1", 0, answer="Not our glass")
        assert upstream_claims.claim(Context(session, **BY), "r1", "old", id="c2").claimed_minor == 200


@pytest.mark.parametrize(("credit", "state"), [(0, "refused"), (150, "credited"), (400, "credited")])
def test_a_claim_is_settled_once_with_a_sentence_and_the_book_has_it(country, credit: int, state: str):
    with country.network.write() as session:
        credited(session, 4)
        upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1")
        assert upstream_claims.balances(session) == {"lost": -400, "claimed": 400, "credited": 0}
        for wrong, words in ((401, "Yes"), (-1, "Yes"), (True, "Yes"), (credit, "  ")):
            with pytest.raises(Invalid):
                upstream_claims.settle(Context(session, **BY), "c1", wrong, answer=words)
        found = upstream_claims.settle(Context(session, **BY), "c1", credit, answer="As agreed by telephone")
        assert (found.state, found.credited_minor) == (state, credit)
        assert upstream_claims.balances(session) == {"lost": -credit, "claimed": 0, "credited": credit}
        with pytest.raises(Conflict, match="This claim has already been settled"):
            upstream_claims.settle(Context(session, **BY), "c1", credit, answer="Again")
        with pytest.raises(NotFound):
            upstream_claims.settle(Context(session, **BY), "c9", credit, answer="Again")
        assert upstream_claims.findings(session) == []


def test_a_claim_of_which_the_book_says_something_else_is_found(country):
    with country.network.write() as session:
        credited(session, 4)
        upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1")
        with unlocked(session):
            session.execute(sa.delete(UpstreamEntry))
        (found,) = [one for one in supply.sync.checks.findings(session) if one.code == "K22"]
        assert (found.expected, found.found) == ("400 claimed and 0 credited", "0 claimed and 0 credited in the book")
