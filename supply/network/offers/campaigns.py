"""A campaign: offers, slots on the bestseller shelf and extra goods for the same days, at every store that says yes.

Rules
-----
1. The operator plans a campaign once, for chosen stores. It asks; nothing happens in a store without the shopkeeper's
   yes, which can be given until `answer_by` (`campaign_requests` has the store's half).
2. A share of the chosen stores is held out by lot and never asked: they are the control. The lot is drawn from the
   campaign's id, so that it can be checked.
3. A slot is paid for as it stood: the fee, times the share of the campaign's days and slots that the store's live shelf
   really had. It enters the store's ledger once, SETTLE_DAYS after the last day or, for a store that was cut off, once
   all it wrote until then is here: its yes and its shelf count whenever they come.
4. What it brought is measured at the stores that said yes against those held out (`forecasting.experiments.uplift`),
   over as many days before as it has lasted, of those whose last sales are here. Without enough of both there is no
   number.
5. What a new campaign is expected to bring is what those before brought, each by how surely it is known, drawn towards
   USUAL_BP as long as there are few; never less than nothing, nor more than MOST_USUAL_BP.
6. Called off, what was asked is withdrawn, and what was agreed ends as soon as the store hears of it; days that stood
   until then are paid: at once where the store is heard, else as by rule 3. So is a yes given before the store heard.
7. Who cannot be paid is left out and paid another night (`isolation`); sales nobody can have made count as none.

Units: *_minor currency minor units; *_bp ten-thousandths.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, among
from config.errors import Invalid, NotFound, Refused
from config.money import BASIS
from config.nodes import journal
from config.nodes.facts import applies
from config.nodes.inbox import heard_in_full
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue.catalogue import Product
from pos.stock.ledger import MOST_QTY
from pos.store.store import Store, day_of, send_fact, store_of
from supply import isolation
from supply.demand.campaign_uplift import ASKS, CampaignAsk, CampaignLine, lines_of
from supply.demand.history import DailyDemand
from supply.money import ledger
from supply.online_facts import CampaignAnswered, CampaignReported
from supply.shelf.plan import ShelfPlan, slots_of

if TYPE_CHECKING:  # arithmetic is loaded where an effect is worked out, not with every page
    from forecasting.experiments.uplift import Uplift

STATES = StateTable("campaign", "open", {"open": ["over", "called_off"]})
MOST_LINES, LONGEST_DAYS, MOST_DISCOUNT_BP, MOST_UPLIFT_BP = 8, 60, 9_000, 50_000
USUAL_BP, MOST_USUAL_BP = 3_000, 20_000
USUAL_SPREAD, BETWEEN = 0.35, 0.2
"""On the logarithm: how unsure USUAL_BP is, and how much campaigns differ from each other."""
INTERVAL_SPREADS = 1.645
"""From the middle of a 90 % interval to its end."""
SETTLE_DAYS = 2
HEARD_WITHIN = dt.timedelta(hours=1)
"""Who told everything until so long ago is heard (rule 6)."""


@dataclass(frozen=True)
class CampaignTerms:
    """What the operator plans. fee_minor: to each store for all its slots over all days; hold_out_bp: see rule 2."""

    id: str
    name: str
    why: str
    from_day: dt.date
    until_day: dt.date
    answer_by: dt.date
    lines: tuple[CampaignLine, ...]
    fee_minor: int = 0
    hold_out_bp: int = 2_500
    goal: str = ""

    def check(self) -> None:
        """Refuse terms no store could answer, saying which."""
        if not self.name.strip() or not self.why.strip():
            raise Invalid("no-reason", "Enter a name and a sentence the shopkeepers will see.")
        if not self.answer_by < self.from_day <= self.until_day:
            raise Invalid(
                "bad-campaign-days", "The response date must be before the start, and the start before the end."
            )
        if (self.until_day - self.from_day).days >= LONGEST_DAYS:
            raise Invalid("bad-campaign-days", "A campaign can last up to %(most)s days.", most=LONGEST_DAYS)
        if not 1 <= len(self.lines) <= MOST_LINES or len({line.sku for line in self.lines}) < len(self.lines):
            raise Invalid("bad-campaign-lines", "Choose 1 to %(most)s different products.", most=MOST_LINES)
        for line in self.lines:
            if not 0 <= line.percent_bp <= MOST_DISCOUNT_BP or not 0 <= line.uplift_bp <= MOST_UPLIFT_BP:
                raise Invalid(
                    "bad-campaign-lines", "%(name)s: the discount can be up to %(off_bp)s, and the expected "
                                          "uplift up to %(uplift_bp)s.",
                    name=line.name, off_bp=MOST_DISCOUNT_BP, uplift_bp=MOST_UPLIFT_BP,
                )  # fmt: skip
        if self.fee_minor < 0 or not 0 <= self.hold_out_bp < BASIS:
            raise Invalid(
                "bad-campaign-fee",
                "Enter a fee of zero or more, and leave at least one store outside the hold-out group.",
            )
        if self.fee_minor and not any(line.slot for line in self.lines):
            raise Invalid("bad-campaign-fee", "A fee pays for shelf slots. Ask for a slot, or remove the fee.")


class Campaign(Base):
    """A campaign at the network. lines: of CampaignLine; effect: what it brought, once settled."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "campaign"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    why: Mapped[str]
    from_day: Mapped[dt.date]
    until_day: Mapped[dt.date]
    answer_by: Mapped[dt.date]
    lines: Mapped[list[Any]]
    fee_minor: Mapped[int]
    hold_out_bp: Mapped[int]
    goal: Mapped[str] = mapped_column(default="", server_default="")
    """One of `network_offers.KINDS`, or ''."""
    held_out: Mapped[list[Any]]
    """The stores that were never asked."""
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    effect: Mapped[dict[str, Any]] = mapped_column(default=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a campaign. effect: None without a control; days: compared before and since."""

    effect: "Uplift | None"
    days: int


# --- verbs, network ---


def plan(ctx: Context, terms: CampaignTerms, store_ids: Sequence[str]) -> Campaign:
    """Plan a campaign and ask the stores (rules 1, 2); the same id again is the same campaign."""
    if (known := ctx.session.get(Campaign, terms.id)) is not None:
        return known
    chosen = sorted(set(store_ids))
    refuse_bad(ctx.session, terms, chosen, ctx.at)
    held = _held_out(terms, chosen)
    campaign = Campaign(
        id=terms.id, name=terms.name.strip(), why=terms.why.strip(), from_day=terms.from_day, until_day=terms.until_day,
        answer_by=terms.answer_by, lines=[asdict(line) for line in terms.lines], fee_minor=terms.fee_minor,
        hold_out_bp=terms.hold_out_bp, goal=terms.goal, held_out=held, state=STATES.first, made_at=ctx.at, effect={},
    )  # fmt: skip
    ctx.session.add(campaign)
    ctx.session.flush()
    journal.record(
        ctx, verb="campaign.planned", subject=f"campaign:{campaign.id}", stores=len(chosen),
        held_out=held, fee_minor=terms.fee_minor)  # fmt: skip
    for store_id in chosen:
        if store_id not in held:
            ask = _ask(campaign, store_id)
            ctx.session.add(ask)
            ctx.session.flush()
            send(ctx.session, ask, ctx.at)
    return campaign


def call_off(ctx: Context, campaign_id: str) -> Campaign:
    """End a campaign now (rule 6); one that is over stays as it is."""
    campaign = campaign_of(ctx.session, campaign_id)
    if campaign.state != "open":
        return campaign
    journal.move(ctx, campaign, "called_off", subject=f"campaign:{campaign.id}")
    for ask in asks_of(ctx.session, campaign_id):
        if ask.state == "accepted" and not _heard(ctx.session, [ask.store_id], ctx.at - HEARD_WITHIN):
            send(ctx.session, ask, ctx.at, state="withdrawn")  # it may carry on until it hears: paid by `settle_due`
        elif ask.state in ("asked", "accepted"):
            if ask.state == "accepted":
                _pay(ctx, campaign, ask)
            journal.move(ctx, ask, "withdrawn", subject=subject_of(ask))
            send(ctx.session, ask, ctx.at)
    return campaign


@applies(CampaignAnswered)
def take_answer(ctx: Context, fact: CampaignAnswered) -> None:
    """Take over what a store answered; a yes to a campaign withdrawn meanwhile is settled like any (rule 6)."""
    ask = ctx.session.get(CampaignAsk, (fact.store_id, fact.campaign_id))
    if fact.state not in ("accepted", "declined", "expired"):
        raise Refused("no-answer", "A store cannot set a campaign to %(state)s.", state=fact.state)
    if ask is not None and ASKS.legal(ask.state, fact.state) and ask.paid_minor is None:
        ask.answered_why = fact.why
        journal.move(ctx, ask, fact.state, subject=subject_of(ask), why=fact.why or None)


def settle_due(ctx: Context) -> list[Campaign]:
    """Settle what is over (rules 3, 4): what it brought into the campaign, and the fees into the ledgers."""
    done = []
    for campaign in ctx.session.scalars(
        sa.select(Campaign).where(Campaign.state == "open").order_by(Campaign.id)
    ).all():
        days = list[dt.date]()
        for ask in asks_of(ctx.session, campaign.id):
            with isolation.apart(ctx, "campaigns", ask.store_id):
                days.append(day_of(ctx.session, ask.store_id, ctx.at))
        if min(days, default=ctx.at.date()) >= campaign.until_day + dt.timedelta(days=SETTLE_DAYS):
            found = outcome(ctx.session, campaign, campaign.until_day, heard_alone=True).effect
            campaign.effect = asdict(found) | {"stores": list(found.stores)} if found else {}
            journal.move(ctx, campaign, "over", subject=f"campaign:{campaign.id}")
            done.append(campaign)
    ctx.session.flush()
    to_pay = (
        sa.select(CampaignAsk, Campaign)
        .join(Campaign, Campaign.id == CampaignAsk.campaign_id)
        .where(Campaign.state != "open", CampaignAsk.state == "accepted")
    )
    for ask, campaign in ctx.session.execute(to_pay.order_by(CampaignAsk.campaign_id, CampaignAsk.store_id)).all():
        with isolation.apart(ctx, "campaigns", ask.store_id):  # it is paid another night
            if _heard(ctx.session, [ask.store_id], _over_at(campaign)):
                _pay(ctx, campaign, ask)
                ask.effect = campaign.effect
                journal.move(ctx, ask, "over", subject=subject_of(ask))
                send(ctx.session, ask, ctx.at)
    return done


def send(session: Session, ask: CampaignAsk, at: dt.datetime, *, state: str = "") -> None:
    """Tell the store how its part stands; state: as it is to stand there."""
    send_fact(session, CampaignReported.of_row(ask, state=state or ask.state), subject=subject_of(ask), at=at)


# --- questions ---


def campaign_of(session: Session, campaign_id: str) -> Campaign:
    """Return a campaign by its id."""
    found = session.get(Campaign, campaign_id)
    if found is None:
        raise NotFound("unknown-campaign", "Campaign not found.", campaign=campaign_id)
    return found


def asks_of(session: Session, campaign_id: str) -> list[CampaignAsk]:
    """Return what a campaign asked of which store."""
    query = sa.select(CampaignAsk).where(CampaignAsk.campaign_id == campaign_id).order_by(CampaignAsk.store_id)
    return list(session.scalars(query))


def usual_uplift_bp(session: Session) -> int:
    """Return what a campaign usually brings, to be expected of the next one (rule 5)."""
    query = sa.select(Campaign.effect).where(Campaign.state == "over")
    total, weight = math.log1p(USUAL_BP / BASIS) / USUAL_SPREAD**2, 1 / USUAL_SPREAD**2
    for row in session.scalars(query):
        if row and row.get("effect", -1.0) > -1.0:
            wide = math.log1p(row["high"]) - math.log1p(max(row["low"], -0.99))
            worth = 1 / ((wide / 2 / INTERVAL_SPREADS) ** 2 + BETWEEN**2)
            total, weight = total + worth * math.log1p(row["effect"]), weight + worth
    return min(MOST_USUAL_BP, max(0, round(BASIS * math.expm1(total / weight))))


def outcome(session: Session, campaign: Campaign, day: dt.date, *, heard_alone: bool = False) -> Outcome:
    """Return what a campaign brought until a day, both included; heard_alone: leave out who was cut off (rule 4)."""
    last = min(day, campaign.until_day)
    days = (last - campaign.from_day).days + 1
    yes = [ask.store_id for ask in asks_of(session, campaign.id) if ask.state in ("accepted", "over")]
    if days < 1 or not yes:
        return Outcome(None, 0)
    import numpy as np

    from forecasting.experiments.uplift import uplift

    stores = sorted({*yes, *campaign.held_out})
    if heard_alone:
        stores = _heard(session, stores, _over_at(campaign))
    span = dt.timedelta(days=days)
    skus = [line.sku for line in lines_of(campaign.lines)]
    before = portions_sold(session, skus, stores, campaign.from_day - span, campaign.from_day)
    after = portions_sold(session, skus, stores, campaign.from_day, campaign.from_day + span)
    seen = [store for store in stores if store in before or store in after]
    effect = uplift(
        np.array([before.get(store, 0.0) for store in seen]), np.array([after.get(store, 0.0) for store in seen]),
        np.array([store in yes for store in seen], dtype=np.bool_),
    ) if seen else None  # fmt: skip
    return Outcome(effect, days)


def stood_bp(session: Session, ask: CampaignAsk, last: dt.date) -> int:
    """Return the share of the campaign's days and slots that a store's live shelf had until a day (rule 3)."""
    skus = {line.sku for line in lines_of(ask.lines) if line.slot}
    days = (ask.until_day - ask.from_day).days + 1
    query = sa.select(ShelfPlan).where(ShelfPlan.store_id == ask.store_id, ShelfPlan.state.in_(["live", "retired"]))
    plans = sorted(session.scalars(query).all(), key=lambda one: (one.from_day, one.id))
    there = {one.id: {row.sku for row in slots_of(session, one)} for one in plans}
    stood = 0
    for n in range(days):
        day = ask.from_day + dt.timedelta(days=n)
        live = next((one for one in reversed(plans) if one.from_day <= day), None)
        if live is not None and day <= last:
            stood += len(skus & there[live.id])
    return BASIS * stood // (days * len(skus)) if skus else 0


def refuse_bad(session: Session, terms: CampaignTerms, store_ids: Collection[str], at: dt.datetime) -> None:
    """Refuse a campaign no store could answer, saying why."""
    terms.check()
    if not store_ids:
        raise Invalid("no-store", "Choose at least one store.", field="store_id")
    if any(terms.answer_by < day_of(session, store_id, at) for store_id in store_ids):
        raise Invalid("bad-day", "The response date has passed. Choose today or later.")


def held_count(stores: int, hold_out_bp: int) -> int:
    """Return how many of some stores are held out; at least one is asked."""
    return max(0, min(stores - 1, stores * hold_out_bp // BASIS))


def portions_sold(
    session: Session, skus: Collection[str], stores: Collection[str], first: dt.date, until: dt.date
) -> dict[str, float]:
    """Return store -> portions of products sold from a day until before another; rule 7 for what nobody can sell."""
    row = DailyDemand
    sold = sa.case((row.sold_qty.between(-MOST_QTY, MOST_QTY), row.sold_qty), else_=0)
    query = (
        sa.select(row.store_id, Product.price_quantity, sa.func.sum(sold))
        .join(Product, Product.sku == row.sku)
        .where(among(session, row.store_id, stores), row.sku.in_(skus))
        .where(row.business_day >= first, row.business_day < until)
        .group_by(row.store_id, Product.price_quantity)
    )
    sums: dict[str, float] = {}
    for store_id, portion, units in session.execute(query):
        sums[store_id] = sums.get(store_id, 0.0) + int(units) / portion
    return sums


def subject_of(ask: CampaignAsk) -> str:
    """Return how the journal names what is asked of a store."""
    return f"campaign:{ask.campaign_id}/{ask.store_id}"


# --- inside ---


def _held_out(terms: CampaignTerms, chosen: Sequence[str]) -> list[str]:
    """Draw the stores that are not asked (rule 2): those whose lot is lowest, at least one is asked."""
    count = held_count(len(chosen), terms.hold_out_bp)

    def lot(store_id: str) -> bytes:
        return hashlib.sha256(f"{terms.id}:{store_id}".encode()).digest()

    return sorted(sorted(chosen, key=lot)[:count])


def _over_at(campaign: Campaign) -> dt.datetime:
    return dt.datetime.combine(campaign.until_day + dt.timedelta(days=SETTLE_DAYS), dt.time(), dt.UTC)


def _heard(session: Session, store_ids: Collection[str], until: dt.datetime) -> list[str]:
    """Return which of some stores have told everything they wrote until then, wherever they are."""
    query = sa.select(Store.id).where(Store.id.in_(store_ids), heard_in_full(Store.id, until)).order_by(Store.id)
    return list(session.scalars(query))


def _ask(campaign: Campaign, store_id: str) -> CampaignAsk:
    return CampaignAsk(
        store_id=store_id, campaign_id=campaign.id, name=campaign.name, why=campaign.why, from_day=campaign.from_day,
        until_day=campaign.until_day, answer_by=campaign.answer_by, lines=campaign.lines,
        fee_minor=campaign.fee_minor, state=ASKS.first, answered_why="", placed_on=None, paid_minor=None,
    )  # fmt: skip


def _pay(ctx: Context, campaign: Campaign, ask: CampaignAsk) -> None:
    """Pay a store for its slots as they stood, once (rule 3)."""
    store_of(ctx.session, ask.store_id)
    ask.paid_minor = ask.fee_minor * stood_bp(ctx.session, ask, day_of(ctx.session, ask.store_id, ctx.at)) // BASIS
    ledger.shelf_paid(ctx, ask.store_id, ask.paid_minor, week=f"campaign:{campaign.id}")
