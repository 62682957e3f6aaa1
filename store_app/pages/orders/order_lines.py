"""What a page shows of a replenishment order: its lines as sentences, its sums, its forecast's age."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.money import exponent
from pos.catalogue.catalogue import Listing
from pos.store.store import day_of
from store_app.pages.common.waiting import stock_units
from store_app.runtime import job_runs
from store_app.web.presenting import clock_time, money, qty, speech
from store_app.words import claims, orders, words
from store_app.words.forecast import age_sentence, watched_sentences
from supply.demand.forecasts import ForecastRun, published
from supply.money import credit
from supply.money.credit import CreditDraw, CreditLine
from supply.orders import network_offers, order_days, promise_changes, supply_routes
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import ON_THE_WAY, TO_SEND, OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import budget, service_targets
from supply.replenishment.auto_approval import OrderRule


@dataclass(frozen=True)
class LineView:
    """A line of a basket.

    have_qty: what is there or coming and not promised; per_day: units expected a day; risks: how running out is called
    with 0, 1, 2 ... packs; reasons: what a change can have; teaches: approving takes the change as a lesson.
    """

    sku: str
    name: str
    stock_unit: str
    packs: int
    packs_proposed: int
    pack_qty: int
    pack_cost_minor: int
    cost_minor: int
    sentence: str
    facts: list[tuple[str, str]]
    runs_out_day: dt.date | None
    """When it runs out before the delivery after the next; None where it does not."""
    have_qty: float
    per_day: float
    risks: tuple[str, ...]
    changed_why: str
    changed_by: str
    reasons: dict[str, str]
    teaches: bool
    ordered_qty: int
    acknowledged_qty: int | None
    qty_received: int
    set_why: str
    """Why the network set its packs by hand; '' where it did not."""


@dataclass(frozen=True)
class CreditView:
    """Paying an order on credit: what is left of the line, whether it is enough, and when it would fall due.

    state, why: of a draw already made; '' before. drawn: it is paid on credit; else it waits on account.
    account_enough: on account it goes without waiting for the network.
    """

    left_minor: int
    held: bool
    enough: bool
    account_enough: bool
    due_day: dt.date | None
    account_days: int
    state: str = ""
    why: str = ""
    drawn: bool = False


@dataclass(frozen=True)
class BudgetView:
    """What a purse (`budget`) has left for a proposal, what of it did not fit, and both in words."""

    left_minor: int
    beyond_minor: int
    says: str
    beyond_words: str
    """With '{amount}' for what a change goes beyond."""


@dataclass(frozen=True)
class OrderView:
    """An order with its lines, what runs out first on top.

    rule: what one order and a week of them may cost to go by themselves, as typed; zeros where there is no rule.
    """

    id: str
    order_no: int
    state: str
    supplier_id: str
    supplier_name: str
    postponed: bool
    by_rule: bool
    rule: tuple[str, str]
    delivery_day: dt.date
    delivery_text: str
    next_text: str
    order_by: str
    """Until when it is to be ordered, by the store's clock; '' for the whole day."""
    is_network: bool
    cost_minor: int
    minimum_minor: int
    short_of_minimum_minor: int
    budgets: list[BudgetView]
    """What limits a proposal, the tightest first; nothing where money does not limit, or it is no proposal."""
    cut_sentence: str
    """What did not fit the money there is; '' where all did."""
    forecast_sentence: str
    lines: list[LineView]
    credit: CreditView | None
    """None where there is no line, or the order is not the network's."""

    @property
    def is_coming(self) -> bool:
        """Whether the delivery is still ahead."""
        return self.state in (*TO_SEND, *ON_THE_WAY)

    @property
    def groups(self) -> list[tuple[str, list[LineView]]]:
        """The lines by urgency, with what each group is called."""
        urgent = [line for line in self.lines if line.runs_out_day]
        rest = [line for line in self.lines if not line.runs_out_day]
        return [(words, lines) for words, lines in ((_("Urgent"), urgent), (_("Other products"), rest)) if lines]


@dataclass(frozen=True)
class OfferView:
    """Goods the network offers, or what it proposes."""

    id: str
    sku: str
    name: str
    packs_text: str
    cost_minor: int
    why: str
    answer_by: dt.date
    terms: list[str]
    """What the network binds itself to, a sentence each."""
    proposal: str = ""
    """list | delist, where no goods are offered (`network_offers`, rule 10)."""
    is_later: bool = False
    """The answer was put off."""


def orders_in(session: Session, store_id: str, states: Sequence[str], *, most: int = 50) -> list[ReplenishmentOrder]:
    """Return the orders of a store in these states, the newest first."""
    return list(
        session.scalars(
            sa.select(ReplenishmentOrder)
            .where(ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.state.in_(states))
            .order_by(ReplenishmentOrder.order_no.desc())
            .limit(most)
        )
    )


def supplier_names(session: Session) -> dict[str, str]:
    """Return the names of all suppliers by id."""
    return dict(session.execute(sa.select(Supplier.id, Supplier.name)).all())


def order_view(session: Session, order: ReplenishmentOrder, *, today: dt.date, currency: str) -> OrderView:
    """Return an order as its page shows it."""
    rows = session.scalars(
        sa.select(OrderLine).where(OrderLine.store_id == order.store_id, OrderLine.order_id == order.id)
    ).all()
    units = stock_units(session, [row.sku for row in rows])
    supplier = session.get(Supplier, order.supplier_id)
    order_by = _order_by(session, order, supplier, today)
    set_why = {sku: change.why for sku, change in promise_changes.of_order(session, order.store_id, order.id).items()}
    lines = [_line(row, order, units.get(row.sku, "each"), today, currency, set_why.get(row.sku, "")) for row in rows]
    lines.sort(key=lambda line: (line.runs_out_day or dt.date.max, -line.cost_minor, line.name))
    cost = sum(line.cost_minor for line in lines)
    minimum = supplier.minimum_minor if supplier else 0
    return OrderView(
        id=order.id,
        order_no=order.order_no,
        state=order.state,
        supplier_id=order.supplier_id,
        supplier_name=supplier.name if supplier else order.supplier_id,
        postponed=order.postponed and cost < minimum,
        by_rule=order.by_rule,
        rule=_rule(session, order, currency),
        delivery_day=order.delivery_day,
        delivery_text=words.day_or_weekday(order.delivery_day, today),
        next_text=words.day_or_weekday(order.next_delivery_day, today),
        order_by=order_by,
        is_network=supplier is not None and supplier.kind == NETWORK,
        cost_minor=cost,
        minimum_minor=minimum,
        short_of_minimum_minor=max(0, minimum - cost),
        budgets=_budgets(session, order, cost, today, currency) if order.state == "proposed" else [],
        cut_sentence=_cut_sentence(rows, currency) if order.state == "proposed" else "",
        forecast_sentence=_basis_sentence(session, order),
        lines=lines,
        credit=_credit(session, order, supplier, cost),
    )


def credit_for_all(session: Session, store_id: str, views: Sequence[OrderView]) -> CreditView | None:
    """Return how proposals that go together can be paid: whether either way is enough for all of them."""
    found = [(view, view.credit) for view in views if view.credit is not None and not view.postponed]
    if not found:
        return None
    cost, line = sum(view.cost_minor for view, _ in found), budget.line_left(session, store_id)
    return replace(
        found[0][1],
        enough=cost <= found[0][1].left_minor,
        account_enough=line is None or cost <= line.account_minor,
        due_day=max((one.due_day for _, one in found if one.due_day is not None), default=None),
    )


def offers(session: Session, store_id: str) -> list[OfferView]:
    """Return the offers that wait for an answer."""
    rows = session.scalars(
        sa.select(NetworkOffer)
        .where(NetworkOffer.store_id == store_id, NetworkOffer.state.in_(network_offers.OPEN))
        .order_by(NetworkOffer.state != "offered", NetworkOffer.answer_by, NetworkOffer.id)
    ).all()
    units = stock_units(session, [row.sku for row in rows])
    return [
        OfferView(
            id=row.id,
            sku=row.sku,
            name=row.name,
            packs_text=words.packs_text(row.packs, row.pack_qty, qty(row.pack_qty, units.get(row.sku, "each"))),
            cost_minor=row.packs * row.pack_cost_minor,
            why=row.why,
            answer_by=row.answer_by,
            terms=claims.offer_terms(row),
            proposal=network_offers.terms_from(row.terms).kind if network_offers.is_proposal(row) else "",
            is_later=row.state == "postponed",
        )
        for row in rows
    ]


def forecast_sentence(session: Session, store_id: str, *, today: dt.date) -> str:
    """Say what proposals stand on: the forecast and its age, or what is used instead."""
    return age_sentence(_newest_age_days(session, store_id, today, ForecastRun.state == "published"))


def night_sentence(session: Session, node_id: str, *, today: dt.date, at: dt.datetime) -> str:
    """Say how tonight's forecast stands while it is not there; "" where it is, or nobody has begun it."""
    run = job_runs.run_of(session, node_id, "forecast", today - dt.timedelta(days=1))
    if run is None or run.state == "done":
        return ""
    if run.state == "failed" or run.is_cut_off(at):
        return _("Tonight’s forecast failed. It will be retried automatically.")
    return _("Tonight’s forecast has been running since %(time)s.", time=clock_time(run.began_at))


def watched(session: Session, store_id: str) -> list[str]:
    """Say what last night's look at the week before found wrong with the forecast in use; [] when all is well."""
    run = published(session, "store", store_id)
    return watched_sentences(run.reason if run else None)


def missing(session: Session, store_id: str) -> str:
    """Return what must be there before anything can be proposed: "products", "suppliers", "prices", or nothing."""
    if not session.scalar(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active).limit(1)):
        return "products"
    ours = [supplier.id for supplier in supply_routes.suppliers_for(session, store_id) if supplier.active]
    if not ours:
        return "suppliers"
    sold = sa.select(SupplierProduct.sku).where(SupplierProduct.supplier_id.in_(ours)).limit(1)
    return "" if session.scalar(sold) else "prices"


# --- inside ---


def _basis_sentence(session: Session, order: ReplenishmentOrder) -> str:
    """Say what an order was proposed on; where no forecast was used, whether it was too old or there was none."""
    age = order.forecast_age_days
    if age is None:
        day = day_of(session, order.store_id, order.proposed_at)
        known = (ForecastRun.state.in_(("published", "superseded")), ForecastRun.started_at <= order.proposed_at)
        age = _newest_age_days(session, order.store_id, day, *known)
    return age_sentence(age)


def _newest_age_days(session: Session, store_id: str, day: dt.date, *known: sa.ColumnElement[bool]) -> int | None:
    query = sa.select(sa.func.max(ForecastRun.origin_day)).where(
        ForecastRun.scope_kind == "store", ForecastRun.scope_id == store_id, *known
    )
    origin = session.scalar(query)
    return None if origin is None else max(0, (day - origin).days - 1)


def _credit(session: Session, order: ReplenishmentOrder, supplier: Supplier | None, cost: int) -> CreditView | None:
    line = session.get(CreditLine, order.store_id)
    if line is None or supplier is None or supplier.kind != NETWORK:
        return None
    draw = session.get(CreditDraw, (order.store_id, order.id))
    left, both = credit.available(session, order.store_id), budget.line_left(session, order.store_id)
    return CreditView(
        left_minor=left,
        held=line.state == "held",
        enough=cost <= left,
        account_enough=both is None or cost <= both.account_minor,
        due_day=credit.likely_due(session, order),
        account_days=int(line.terms.get("account_days", 0)),
        state=draw.state if draw else "",
        why=draw.why if draw else "",
        drawn=draw is not None and draw.amount_minor > 0,
    )


def _budgets(session: Session, order: ReplenishmentOrder, cost: int, today: dt.date, currency: str) -> list[BudgetView]:
    found = sorted(budget.left_for(session, order, today), key=lambda one: one.left_minor)
    return [
        BudgetView(one.left_minor, max(0, cost - one.left_minor),
                  *orders.budget_words(one.name, one.left_minor, cost, lambda minor: money(minor, currency)))
        for one in found
    ]  # fmt: skip


def _cut_sentence(rows: Sequence[OrderLine], currency: str) -> str:
    cut: dict[str, int] = {}
    for row in rows:
        packs = _cut_packs(row)
        if packs:
            cut[row.why["cut_by"]] = cut.get(row.why["cut_by"], 0) + packs * row.pack_cost_minor
    said = [orders.cut_in_all(name, money(minor, currency)) for name, minor in sorted(cut.items())]
    return words.joined(said)


def _cut_packs(row: OrderLine) -> int:
    """Return the packs that were wanted, did not fit the money, and were not put on the line since."""
    cut = int(row.why.get("cut_packs") or 0)
    return min(cut, max(0, row.packs_proposed + cut - row.packs))


def _rule(session: Session, order: ReplenishmentOrder, currency: str) -> tuple[str, str]:
    rule = session.get(OrderRule, (order.store_id, order.supplier_id))
    amounts = (rule.most_order_minor, rule.most_week_minor) if rule else (0, 0)
    most_order, most_week = (str(Decimal(amount).scaleb(-exponent(currency))) for amount in amounts)
    return most_order, most_week


def _order_by(session: Session, order: ReplenishmentOrder, supplier: Supplier | None, today: dt.date) -> str:
    """Say until when a proposal is to be ordered; '' where its supplier takes orders the whole day, or it is sent."""
    if supplier is None or order.state not in TO_SEND:
        return ""
    closes = order_days.closes_at(session, supplier, order.store_id, order.order_day)
    if closes is None:
        return ""
    time = speech().time(closes.time())
    return time if closes.date() == today else f"{words.day_or_weekday(closes.date(), today)} {time}"


def _line(
    row: OrderLine, order: ReplenishmentOrder, unit: str, today: dt.date, currency: str, set_why: str
) -> LineView:  # fmt: skip
    why = orders.OrderWhy.read(row.why)
    cost = row.packs_expected * row.pack_cost_minor

    def quantity(units: float) -> str:
        return qty(round(units) if abs(units) >= 10 else round(units, 1), unit)

    cut = _cut_packs(row) if order.state == "proposed" else 0
    sentence = orders.order_sentence(why, quantity=quantity, today=today)
    if cut:
        packs_words = words.packs_text(cut, row.pack_qty, qty(row.pack_qty, unit))
        reported = orders.cut_of_line(row.why["cut_by"], packs_words, money(cut * row.pack_cost_minor, currency))
        sentence = words.joined([sentence, reported])
    runs_out = why.runs_out_day if why.runs_out_day and why.runs_out_day < order.next_delivery_day else None
    return LineView(
        sku=row.sku,
        name=row.name,
        stock_unit=unit,
        packs=row.packs,
        packs_proposed=row.packs_proposed,
        pack_qty=row.pack_qty,
        pack_cost_minor=row.pack_cost_minor,
        cost_minor=cost,
        sentence=sentence,
        facts=[
            *orders.order_facts(why, quantity=quantity),
            *orders.more_facts(row.why, quantity=quantity, amount=lambda minor: money(minor, currency), today=today),
        ],
        runs_out_day=runs_out,
        have_qty=why.have_qty,
        per_day=why.per_day,
        risks=tuple(orders.risk(risk_bp) for risk_bp in row.why.get("risks_bp") or ()),
        teaches=row.teaches,
        changed_why=row.changed_why,
        changed_by=row.changed_by,
        reasons={
            code: str(word)
            for code, word in words.CHANGE_REASONS.items()
            if code != "other" and service_targets.TEACHING.get(code, 0) * (row.packs - row.packs_proposed) >= 0
        },
        ordered_qty=row.packs * row.pack_qty,
        acknowledged_qty=None if row.packs_acknowledged is None else row.packs_acknowledged * row.pack_qty,
        qty_received=row.qty_received,
        set_why=set_why,
    )
