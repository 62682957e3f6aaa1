"""Credit memos against claims and invoices: whatever is pressed in whatever order, no money is made, lost or moved."""

import contextlib
from decimal import Decimal
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, NotFound, Refused
from config.ids import new_id
from config.nodes.journal import Context
from supply.network.claims import credit_memos, handling
from supply.orders import claims
from supply.orders.claims import Claim, ClaimCredit
from supply.orders.suppliers import Supplier
from supply.receiving.documents import document, reading, supplier_documents
from supply.receiving.documents.supplier_documents import SupplierPaper
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper
from tests.supply.road import FARM, KEEPER, Country, later, make_country

MILL = "mill"
NAMES = {FARM: "Farm", MILL: "Mill"}
STEPS = ("claim", "memo", "invoice", "settle", "settle", "settle", "answer", "contest", "discard", "again")
STEP = st.tuples(st.sampled_from(STEPS), st.integers(0, 2**32))


class Desk:
    """A store with two suppliers of its own, who each brought an order of bread."""

    def __init__(self, country: Country) -> None:
        self.store, self.deliveries, self.hour = country.stores["S1"], {}, 0
        with self.store.write() as session:
            session.add(Supplier(id=MILL, name="Mill", kind="own", owner_id="S1"))
        for supplier in NAMES:
            country.order("S1", {"bread": 2}, supplier=supplier)
            self.deliveries[supplier] = country.take_in("S1")

    @contextlib.contextmanager
    def acting(self):
        self.hour += 1
        with self.store.write() as session:
            yield Context(session, KEEPER["S1"], later(hours=self.hour))

    def claim(self, asked_minor: int, supplier: str = FARM, units: int = 4) -> str:
        with self.acting() as ctx:
            request = handling.ClaimRequest(
                self.deliveries[supplier], [], "money", billed={"bread": (units, asked_minor)}
            )
            return handling.file(ctx, "S1", request, id=new_id()).id

    def take(self, kind: str, number: str, minor: int, supplier: str = FARM, **said) -> str:
        line = Line("", 1, Decimal(minor) / 100, "C62", rate=20, gtin="4006381333931")
        paper = Paper([line], number, NAMES[supplier], seller_tax="", currency="EUR", buyer="Store S1", **said)
        found = document.from_json(next(reading.read(made.ubl(paper, kind))))
        with self.acting() as ctx:
            return supplier_documents.take(ctx, "S1", found, id=new_id(), supplier_id=supplier).id

    def memo(self, minor: int, number: str = "G-1", supplier: str = FARM, **said) -> str:
        return self.take("CreditNote", number, minor, supplier, **said)

    def settle(self, memo: str, *claim_ids: str, invoice: str = "", is_all: bool = False) -> None:
        with self.acting() as ctx:
            credit_memos.settle(ctx, "S1", memo, claim_ids, invoice, is_all=is_all)

    def money(self, claim_id: str) -> tuple[str, int, int]:
        """Return a claim's state, what was granted, and what memos gave back."""
        with self.store.read() as session:
            claim = session.get_one(Claim, ("S1", claim_id))
            return claim.state, claim.granted_minor, sum(one.amount_minor for one in claims.credits_of(session, claim))

    def compared(self, memo: str, *chosen: str) -> credit_memos.Comparison:
        with self.store.read() as session:
            return credit_memos.compare(session, session.get_one(SupplierPaper, ("S1", memo)), chosen or None)


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(make_country(tmp_path))


def test_a_memo_of_just_what_was_claimed_ends_the_claim_once(desk):
    claim, memo = desk.claim(600), desk.memo(600)
    desk.settle(memo, claim)
    assert desk.money(claim) == ("compensated", 600, 600)
    with pytest.raises(Conflict, match="already settled"):
        desk.settle(memo, claim)
    with pytest.raises(Conflict, match="G-1 from Farm is already here"):
        desk.memo(600)
    with pytest.raises(Conflict, match="Claim 1 is already settled"):
        desk.settle(desk.memo(600, "G-2"), claim)
    assert desk.money(claim) == ("compensated", 600, 600)


def test_a_memo_is_nothing_until_a_person_approves_it(desk):
    claim = desk.claim(600)
    memo = desk.memo(600, buyer_ref="Claim 1")
    assert [one.claim.id for one in desk.compared(memo).chosen] == [claim]
    assert desk.money(claim) == ("filed", 0, 0)


@pytest.mark.parametrize("minor", [601, 100_000])
def test_a_memo_greater_than_its_claims_is_refused(desk, minor):
    claim, memo = desk.claim(600), desk.memo(minor)
    with pytest.raises(Refused, match=r"but the claims you chose ask for €6\.00"):
        desk.settle(memo, claim)
    assert desk.money(claim) == ("filed", 0, 0)
    other = desk.claim(minor - 600)
    desk.settle(memo, claim, other)
    assert [desk.money(one)[1:] for one in (claim, other)] == [(600, 600), (minor - 600, minor - 600)]


def test_a_memo_of_another_supplier_settles_nothing_of_this_one(desk):
    claim, invoice = desk.claim(600), desk.take("Invoice", "R-1", 5_000)
    memo = desk.memo(600, supplier=MILL, refs=("R-1",), buyer_ref="Claim 1")
    found = desk.compared(memo)
    assert (found.open_claims, found.invoice, found.unknown_refs) == ([], None, ["R-1"])
    with pytest.raises(Refused, match="Claim 1 is not about a delivery from Mill"):
        desk.settle(memo, claim)
    with pytest.raises(Refused, match="R-1 is no invoice of this supplier"):
        desk.settle(memo, invoice=invoice)
    with pytest.raises(NotFound):
        desk.settle(memo, "claim-of-nobody")
    assert desk.money(claim) == ("filed", 0, 0)


def test_less_leaves_the_rest_open_for_another_memo_or_ends_the_claim(desk):
    first, second = desk.claim(600), desk.claim(300)
    desk.settle(desk.memo(400), first)
    assert desk.money(first) == ("filed", 0, 400)
    desk.settle(desk.memo(200, "G-2"), first)
    assert desk.money(first) == ("compensated", 600, 600)
    desk.settle(desk.memo(100, "G-3"), second, is_all=True)
    assert desk.money(second) == ("compensated", 100, 100)
    with desk.acting() as ctx:
        handling.contest(ctx, "S1", second, words="You owe 2.00 more")
    desk.settle(desk.memo(200, "G-4"), second)
    assert desk.money(second) == ("compensated", 300, 300)


def test_a_memo_fills_the_oldest_claim_first_and_leaves_none_empty(desk):
    first, second, third = desk.claim(600), desk.claim(300), desk.claim(200)
    memo = desk.memo(700)
    with pytest.raises(Refused, match="Nothing of it is left for claim 3"):
        desk.settle(memo, third, first, second)
    desk.settle(memo, second, first)
    assert [desk.money(one)[2] for one in (first, second, third)] == [600, 100, 0]


def test_a_claim_answered_by_hand_waits_for_no_more_than_was_granted(desk):
    claim = desk.claim(600)
    with desk.acting() as ctx:
        handling.answered_by_supplier(ctx, "S1", claim, {("bread", "billed"): 2}, remedy="money", words="Half")
    with pytest.raises(Refused, match=r"ask for €3\.00"):
        desk.settle(desk.memo(301), claim)
    desk.settle(desk.memo(300, "G-2"), claim)
    assert desk.money(claim) == ("compensated", 300, 300)


def test_a_memo_names_its_claims_by_number_by_invoice_or_by_order(desk):
    claim, invoice = desk.claim(600), desk.take("Invoice", "R-1", 5_000)
    with desk.acting() as ctx:
        row = supplier_documents.paper_of(ctx.session, "S1", invoice)
        row.answers = {"1:price": f"{supplier_documents.CLAIM}{claim}"}
    other = desk.claim(100)
    with desk.store.read() as session:
        order = session.scalar(sa.select(supplier_documents.ReplenishmentOrder.order_no).where(
            supplier_documents.ReplenishmentOrder.supplier_id == FARM))  # fmt: skip
    named = [
        ({"buyer_ref": "your claim no. 2"}, [other]),
        ({"refs": ("r1",)}, [claim]),
        ({"order": f"No. {order}"}, [claim, other]),
        ({"order": f"No. {order}", "buyer_ref": "2"}, [other]),
        ({}, []),
    ]
    for n, (said, wanted) in enumerate(named):
        found = desk.compared(desk.memo(600, f"G-{n}", **said))
        assert [one.claim.id for one in found.chosen] == wanted, said
        assert (found.invoice is not None) is ("refs" in said)


def test_a_memo_comes_off_an_invoice_with_its_tax_and_never_below_zero(desk):
    invoice = desk.take("Invoice", "R-1", 1_000)
    desk.settle(desk.memo(600), invoice=invoice)
    with desk.store.read() as session:
        assert supplier_documents.left_to_pay(session, session.get_one(SupplierPaper, ("S1", invoice))) == 1_200 - 720
    with pytest.raises(Refused, match=r"Only €4\.80 are left to pay of invoice R-1"):
        desk.settle(desk.memo(401, "G-2"), invoice=invoice)
    with desk.acting() as ctx, pytest.raises(Refused, match="Credit memo G-1 is taken off this invoice"):
        supplier_documents.discard(ctx, "S1", invoice)


@settings(max_examples=8, deadline=None)
@given(steps=st.lists(STEP, min_size=15, max_size=45))
def test_no_walk_makes_loses_or_moves_money(tmp_path_factory, steps):
    desk = Desk(make_country(tmp_path_factory.mktemp("memos")))
    walk = Walk(desk)
    for what, seed in steps:
        with contextlib.suppress(DomainError):
            getattr(walk, what)(Random(seed))
        walk.look()
    desk.store.engine.dispose()


class Walk:
    """Presses whatever there is to press."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.claims, self.memos, self.invoices, self.n = desk, list[str](), list[str](), list[str](), 0

    # --- steps ---

    def claim(self, rng: Random) -> None:
        self.claims.append(self.desk.claim(rng.choice((1, 7, 100, 250, rng.randint(1, 999))), rng.choice(list(NAMES)),
                                           rng.randint(1, 9)))  # fmt: skip

    def memo(self, rng: Random) -> None:
        self.n += 1
        self.memos.append(self.desk.memo(rng.choice((1, 7, 100, 250, 350, rng.randint(1, 999))), f"G-{self.n}",
                                         rng.choice(list(NAMES)), buyer_ref=f"Claim {rng.randint(1, 9)}"))  # fmt: skip

    def again(self, rng: Random) -> None:
        """Send an earlier memo's number again, with another sum."""
        number = f"G-{rng.randint(1, self.n or 1)}"
        self.memos.append(self.desk.memo(rng.randint(1, 999), number, rng.choice(list(NAMES))))

    def invoice(self, rng: Random) -> None:
        self.n += 1
        self.invoices.append(self.desk.take("Invoice", f"R-{self.n}", rng.randint(1, 999), rng.choice(list(NAMES))))

    def settle(self, rng: Random) -> None:
        """Settle any memo, also one that is settled, against some claims: those that fit, or any."""
        if not self.memos:
            return
        memo = rng.choice(self.memos)
        chosen = rng.sample(self.claims, rng.randint(0, min(3, len(self.claims))))
        if rng.random() < 0.6:
            open_claims = [one.claim.id for one in self.desk.compared(memo).open_claims]
            chosen = open_claims[: rng.randint(1, 3)]
        invoice = rng.choice(["", "", *self.invoices])
        self.desk.settle(memo, *chosen, invoice=invoice, is_all=rng.random() < 0.4)
        with self.desk.store.read() as session:
            row = session.get_one(SupplierPaper, ("S1", memo))
            given = sum(amount for _claim, amount in credit_memos.settled_by(session, row))
            assert given == (row.document.net_minor if chosen else 0)

    def answer(self, rng: Random) -> None:
        claim_id = rng.choice(self.claims or [""])
        with self.desk.acting() as ctx:
            (line,) = claims.lines_of(ctx.session, claims.claim_of(ctx.session, "S1", claim_id))
            handling.answered_by_supplier(ctx, "S1", claim_id, {("bread", "billed"): rng.randint(0, line.qty)},
                                          remedy="money", words="So be it")  # fmt: skip

    def contest(self, rng: Random) -> None:
        with self.desk.acting() as ctx:
            handling.contest(ctx, "S1", rng.choice(self.claims or [""]), words="Look again")

    def discard(self, rng: Random) -> None:
        with self.desk.acting() as ctx:
            supplier_documents.discard(ctx, "S1", rng.choice([*self.memos, *self.invoices] or [""]))

    # --- what holds after every step ---

    def look(self) -> None:
        with self.desk.store.read() as session:
            papers = {row.id: row for row in session.scalars(sa.select(SupplierPaper))}
            booked = list(session.scalars(sa.select(ClaimCredit)))
            for claim in session.scalars(sa.select(Claim)):
                given = sum(one.amount_minor for one in booked if one.claim_id == claim.id)
                assert given <= claim.claimed_minor
                assert claim.granted_minor <= claim.claimed_minor
                assert claim.state != "compensated" or given <= claim.granted_minor
                assert all(papers[one.paper_id].supplier_id == claim.supplier_id
                           for one in booked if one.claim_id == claim.id)  # fmt: skip
            for row in papers.values():
                given = sum(one.amount_minor for one in booked if one.paper_id == row.id)
                assert given in (0, row.document.net_minor)
                assert row.state == "approved" or (given, row.invoice_id) == (0, None)
                if row.kind == "invoice":
                    assert supplier_documents.left_to_pay(session, row) >= 0
                    assert all(papers[one.id].supplier_id == row.supplier_id
                               for one in supplier_documents.credited_by(session, row))  # fmt: skip
            numbers = [(row.supplier_id, row.kind, row.number) for row in papers.values() if row.state != "abandoned"]
            assert len(numbers) == len(set(numbers))
