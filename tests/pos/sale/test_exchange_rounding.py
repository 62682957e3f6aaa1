"""An exchange is rounded once, on its one amount, with that amount's sign; what moves in the drawer is what is said."""

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.money import round_cash
from config.nodes.journal import Context
from pos.sale import refund_routes, returns, sale
from pos.sale.sale_request import BroughtBack, SaleRequest
from pos.store import approvals
from pos.till.shift_book import CashMovement
from tests.builders import NOON, STORE, TILL, open_store

BACK = [(sku, qty, back) for sku in ("milk", "bread", "wine") for qty in (1, 2) for back in (1, 2, 3)]


def quoted(session, request: SaleRequest, cash: bool):
    """Price the request as the till shows it before it is paid."""
    receipt = refund_routes.look(session, STORE, request.brought_back[0].sale_id)
    back = [line for line, _ in returns.negative_lines(receipt, request.brought_back, first_n=2)]
    return sale.quote(session, STORE, request.lines, at=NOON, cash=cash, back=back)


@pytest.mark.parametrize(("sku", "qty", "back"), BACK)
def test_an_exchange_is_rounded_on_what_is_left_to_pay_or_to_give_back(tmp_path, sku, qty, back):
    store = open_store(tmp_path, smallest_coin_minor=5)
    first = store.sell([("milk", 3)])
    assert (first.sale.total_minor, first.sale.rounding_minor) == (385, -2)
    bought = store.read(lambda session: sale.quote(session, STORE, [(sku, qty)], at=store.now)).basket
    due_minor = bought.lines_minor - 129 * back
    total_minor = round_cash(due_minor, 5)
    request = SaleRequest(
        new_id(), STORE, TILL, [(sku, qty)], [("cash", total_minor)], due_minor, age_confirmed=18,
        brought_back=[BroughtBack(first.sale.id, 1, back)],
    )  # fmt: skip
    in_cash, by_card = (store.read(lambda session, cash=cash: quoted(session, request, cash)) for cash in (True, False))
    assert (in_cash.basket.total_minor, in_cash.basket.rounding_minor) == (total_minor, total_minor - due_minor)
    assert (by_card.basket.total_minor, by_card.basket.rounding_minor) == (due_minor, 0)
    assert by_card.needs[-1] == approvals.takes_back(first.sale.id, [(1, back)])
    with store.write() as session:
        done = sale.complete(Context(session, store.wei, store.now), request)
    assert sum(line["tax_minor"] for line in done.document["lines"]) == in_cash.basket.tax_minor
    assert (done.sale.total_minor, done.sale.rounding_minor) == (total_minor, total_minor - due_minor)
    assert sum(row["amount_minor"] for row in done.document["payments"]) == total_minor
    moved = sa.select(sa.func.sum(CashMovement.amount_minor)).where(CashMovement.source_id == done.sale.id)
    assert (store.read(lambda session: session.scalar(moved)) or 0) == total_minor
    assert [line["n"] for line in done.document["lines"]] == [1, 2]
    assert sum(line["total_minor"] for line in done.document["lines"]) == due_minor, "rounding is never within lines"
    assert store.close_till().z_report["rounding_minor"] == total_minor - due_minor - 2
    assert store.findings() == []
