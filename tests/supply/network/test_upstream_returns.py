"""Recalled goods go back to whom they were bought of: once, with a message, out of the stock, and claimed once."""

import contextlib
import random
from collections import Counter

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import supply.sync.checks
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from pos import messages
from pos.messages import OutgoingMessage
from pos.stock import batches, stock
from pos.stock.ledger import Place
from store_app.mail import supplier_mail
from supply.membership import attention
from supply.network.recalls import recalls, upstream_claims, upstream_returns
from supply.network.recalls.upstream_returns import UpstreamReturn
from supply.orders import supplier_messages, suppliers
from supply.orders.purchases import Purchase, PurchaseLine
from tests.supply.network.test_upstream_claims import BY, bought, reported
from tests.supply.road import AT, WAREHOUSE, Country, make_country


def _mills(country: Country) -> None:
    """Let the warehouse have 30 of the old mill's, of lot A, 12 of the new mill's, of lot B, and 4 of no known lot."""
    with country.network.write() as session:
        stock.count(Context(session, **BY), WAREHOUSE, "bread", 0, count_id="empty", found_in=Place.BACKROOM)
        for mill, how in (("old", "email"), ("new", "paper")):
            contact = suppliers.Contact(
                f"The {mill} mill", send_by=how, email="mill@example.com" if how == "email" else "",
                language="zh" if mill == "new" else "en",
            )  # fmt: skip
            suppliers.write_contact(Context(session, **BY), NETWORK, mill, contact)
        bought(session, 9, "old", 30, 600)
        bought(session, 2, "new", 12, 720)
        for lot in session.scalars(sa.select(batches.Batch).where(batches.Batch.sku == "bread")):
            lot.batch = {"p9": "A", "p2": "B"}[lot.source_id]
        stock.receive(Context(session, **BY), WAREHOUSE, [("bread", 4)], source_id="found")


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path, lay_in=_mills)


def call(session: Session, batch: str | None, id: str = "r1") -> None:
    recalls.call(Context(session, **BY), "bread", batch, id=id, why="glass", called_by="", afterwards="destroy")


def send_back(session: Session, mill: str, qty: int, id: str = "b1", recall_id: str = "r1") -> UpstreamReturn:
    return upstream_returns.propose(Context(session, **BY), WAREHOUSE, recall_id, mill, qty, id=id)


def on_hand(session: Session) -> int:
    return stock.levels(session, WAREHOUSE, ["bread"])["bread"].on_hand


def may_go(session: Session, recall_id: str = "r1") -> dict[str, int]:
    return {one.supplier.id: one.qty for one in upstream_returns.returnable(session, recall_id, at=AT)}


def test_what_was_bought_of_a_supplier_leaves_the_warehouse_once_it_is_handed_over_and_is_claimed_with_it(country):
    with country.network.write() as session:
        call(session, None)
        assert may_go(session) == {"old": 30, "new": 12}, "four are of nobody known here"
        made = send_back(session, "old", 20)
        assert send_back(session, "old", 20) is made, "a second click"
        assert (on_hand(session), reported(session)) == (46, []), "nothing has left"
        upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        assert (on_hand(session), reported(session)) == (26, [("old", 20, 2000)])
        with pytest.raises(Conflict, match="was already handed over"):
            upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 26)
        assert reported(session) == [("new", 12, 1440), ("old", 30, 3000), ("", 4, 0)]
        claim = upstream_claims.claim(Context(session, **BY), "r1", "old", id="c1")
        assert (claim.qty, claim.returns) == (30, [f"{WAREHOUSE}-R1"])
        assert upstream_claims.claim(Context(session, **BY), "r1", "new", id="c2").returns == []
        assert reported(session) == [("", 4, 0)], "claimed once, however it left"
        assert supply.sync.checks.findings(session) == []


def test_of_a_batch_only_its_own_lot_goes_back_and_never_more_than_stands_there(country):
    with country.network.write() as session:
        call(session, "A")
        assert may_go(session) == {"old": 30}
        for wrong in (31, 0, -1, True):
            with pytest.raises(Invalid, match="30 from this supplier are in stock"):
                send_back(session, "old", wrong)
        with pytest.raises(Invalid, match="0 from this supplier are in stock"):
            send_back(session, "new", 1)
        with pytest.raises(NotFound):
            send_back(session, "nobody", 1)
        send_back(session, "old", 30)
        assert may_go(session) == {}
        with pytest.raises(Conflict, match="A return to this supplier is open"):
            send_back(session, "old", 1, id="b2")


def test_what_stands_on_an_open_return_is_neither_written_off_nor_missing_when_the_warehouse_is_looked_through(country):
    with country.network.write() as session:
        call(session, "A")
        send_back(session, "old", 25)
        with pytest.raises(Refused, match="Up to 9 in stock could be affected"):
            recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 10)
        recalls.look_through(Context(session, **BY), WAREHOUSE, "r1", 3)
        assert on_hand(session) == 41, "three of lot A are written off, two were not found"
        upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        assert (on_hand(session), reported(session)) == (16, [("old", 28, 2800)])


def test_a_return_whose_goods_are_gone_or_whose_recall_is_lifted_is_not_handed_over_but_dropped(country):
    with country.network.write() as session:
        call(session, None)
        send_back(session, "old", 30)
        stock.count(Context(session, **BY), WAREHOUSE, "bread", 17, count_id="fewer")
        with pytest.raises(Refused, match="Only 5 of its lots are left"):
            upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        with pytest.raises(Invalid, match="Enter a reason"):
            upstream_returns.drop(Context(session, **BY), WAREHOUSE, "b1", why=" ")
        upstream_returns.drop(Context(session, **BY), WAREHOUSE, "b1", why="Five are left")
        with pytest.raises(Conflict):
            upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        send_back(session, "old", 5, id="b2")
        recalls.lift(Context(session, **BY), "r1", why="tested")
        assert may_go(session) == {}
        with pytest.raises(Refused, match="This recall has been lifted, so nothing needs to be returned"):
            upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b2")
        with pytest.raises(Refused, match="This recall has been lifted, so nothing needs to be returned"):
            send_back(session, "new", 1, id="b3")


def test_the_message_says_in_the_suppliers_language_what_of_which_batch_and_purchase_goes_back(country):
    with country.network.write() as session:
        call(session, None)
        send_back(session, "old", 7)
        send_back(session, "new", 12, id="b2")
        mailed, paper = (supplier_messages.message_of(session, WAREHOUSE, one) for one in ("b1", "b2"))
        (line,) = mailed.body["lines"]
        assert (line["qty"], line["batch"], line["purchase_no"]) == (7, "A", f"{WAREHOUSE}-9")
        message = supplier_mail.written(mailed)
        assert message.subject.startswith(f"Return {WAREHOUSE}-R1 from")
        assert "attached return slip" in message.text
        assert [name for name, _kind, _bytes in message.files] == [f"return-{WAREHOUSE}-R1.pdf"]
        assert "退货单" in supplier_mail.written(paper).subject
        assert (paper.carrier, paper.state) == ("paper", "waiting")
        upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b2")
        assert paper.state == "sent", "it went with the goods"
        supplier_messages.left(Context(session, **BY), WAREHOUSE, "b1")
        upstream_returns.drop(Context(session, **BY), WAREHOUSE, "b1", why="They fetch it not")
        off = session.get_one(OutgoingMessage, (WAREHOUSE, "b1-off"))
        assert "will not be returned: They fetch it not" in supplier_mail.written(off).text


def test_a_message_of_a_return_that_did_not_leave_needs_a_person_until_it_leaves(country):
    with country.network.write() as session:
        call(session, None)
        send_back(session, "old", 7)
        send_back(session, "new", 12, id="b2")
        assert messages_left(session) == {}, "one is on its way, the other leaves with its goods"
        message = supplier_messages.message_of(session, WAREHOUSE, "b1")
        messages.failed(Context(session, **BY), message, "address-refused", "no such box")
        assert messages_left(session) == {"r1": 1}
        upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, "b1")
        assert messages_left(session) == {"r1": 1}, "the goods are gone, and their letter is not"
        supplier_messages.again(Context(session, **BY), WAREHOUSE, "b1", how="email", address="new@example.com")
        assert messages_left(session) == {}


def messages_left(session: Session) -> dict[str, int]:
    found = attention.needing_a_person(session, at=AT)
    return {one.subject: one.facts["count"] for one in found if one.kind == "messages-left"}


def test_what_a_return_says_and_did_not_take_out_of_the_stock_is_found(country):
    with country.network.write() as session:
        call(session, None)
        send_back(session, "old", 7).state = "handed_over"
        session.flush()
        (found,) = [one for one in supply.sync.checks.findings(session) if one.code == "K23"]
        assert (found.expected, found.found) == ("7 handed over", "0 left the stock")


def act(session: Session, chance: random.Random, recall_id: str, id: str) -> str:
    """Do one thing of those people do; returns what it was. What is refused changes nothing."""
    often = {"back": 4, "hand": 4, "buy": 3, "claim": 3, "settle": 2, "drop": 1, "look": 1, "anew": 1}
    (what,), mill = chance.choices(list(often), list(often.values())), chance.choice(["old", "new"])
    returns = sa.select(UpstreamReturn.id).where(UpstreamReturn.state == "proposed").order_by(UpstreamReturn.id)
    one = session.scalars(returns).first() or "none"
    if what == "back":
        send_back(session, mill, chance.randint(1, 12), id, recall_id)
    elif what == "hand":
        upstream_returns.hand_over(Context(session, **BY), WAREHOUSE, one)
    elif what == "drop":
        upstream_returns.drop(Context(session, **BY), WAREHOUSE, one, why="no")
    elif what == "look":
        recalls.look_through(Context(session, **BY), WAREHOUSE, recall_id, chance.randint(0, 9))
    elif what == "claim":
        upstream_claims.claim(Context(session, **BY), recall_id, mill, id=id)
    elif what == "buy":
        bought(session, 20 + int(id), mill, 12, 600)
    elif what == "settle":
        upstream_claims.settle(
            Context(session, **BY), upstream_claims.claims_of(session, recall_id)[0].id, 100, answer="Yes"
        )
    return what


@pytest.mark.parametrize("seed", range(4))
def test_no_unit_is_claimed_twice_nor_more_than_was_bought_whatever_is_returned_and_written_off(country, seed: int):
    chance, n, done = random.Random(seed), 0, Counter[str]()
    with country.network.write() as session:
        call(session, None, "r0")
        for step in range(50):
            with contextlib.suppress(Conflict, Invalid, NotFound, Refused, IndexError):
                what = act(session, chance, f"r{n}", str(step))
                done[what] += 1
                if what == "anew":
                    recalls.lift(Context(session, **BY), f"r{n}", why="tested")
                    n += 1
                    call(session, None, f"r{n}")
        claims = list(session.scalars(sa.select(upstream_claims.UpstreamClaim)))
        lines = sa.select(Purchase.supplier_id, sa.func.sum(PurchaseLine.received_qty)).join(
            PurchaseLine, PurchaseLine.purchase_id == Purchase.id
        )
        brought = dict(session.execute(lines.group_by(Purchase.supplier_id)).all())
        for mill, most in brought.items():
            claimed = sum(one.qty for one in claims if one.supplier_id == mill)
            owed = sum(qty for at in range(n + 1) for who, qty, _ in reported(session, f"r{at}") if who == mill)
            assert claimed + owed <= most
        assert 0 < sum(one.qty for one in claims) <= 4 + sum(brought.values()) - on_hand(session)
        assert done["back"] * done["hand"] * done["claim"], done
        assert supply.sync.checks.findings(session) == []
