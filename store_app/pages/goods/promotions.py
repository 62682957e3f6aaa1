"""Offers: what is live, coming and over, each as a sentence; made step by step with an example before it counts."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config import ids, words
from config.errors import DomainError, NotFound, Refused
from config.ids import new_id
from config.money import BASIS, amount_for
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Listing, Product
from pos.catalogue.offers import StandingOffer
from pos.pricing import promotions
from pos.pricing.promises import BUNDLE_KINDS, PACK_KINDS, Choice, Offer
from pos.pricing.promotions import OfferLine
from store_app.pages.common import form, promotion_preview
from store_app.pages.goods import promotion_form
from store_app.pages.goods.promotion_form import Draft
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page, place, today, weekdays
from store_app.web.security import requires
from store_app.words import goals
from store_app.words import promotions as promotion_words
from store_app.words.promotions import Kind

bp = Blueprint("offers", __name__, url_prefix="/offers")
ENDED_SHOWN, FOUND, EXAMPLES, CODES_SHOWN = 30, 8, 3, 200


@dataclass(frozen=True)
class OfferView:
    """An offer in the list. standing: live, coming, ended; codes: how many open it, used: how often they were."""

    id: str
    name: str
    sentence: str
    standing: str
    ours: bool
    made_by: str
    made_at: dt.datetime
    codes: int
    used: int
    can_change: bool


@dataclass(frozen=True)
class ExampleLine:
    """A line of the example basket."""

    name: str
    qty: int
    stock_unit: str
    amount_minor: int
    saved_minor: int
    below_cost: bool


@dataclass(frozen=True)
class Example:
    """An offer on an example basket."""

    sentence: str
    lines: list[ExampleLine]

    @property
    def amount_minor(self) -> int:
        """Return what the basket costs without the offer."""
        return sum(line.amount_minor for line in self.lines)

    @property
    def saved_minor(self) -> int:
        """Return what the offer saves."""
        return sum(line.saved_minor for line in self.lines)


@bp.get("/")
@requires("offers")
def everything() -> ResponseReturnValue:
    """List the offers: live, coming, and the last that ended; at the network they are among all promotions."""
    if not place().store_id:
        return redirect(url_for("console_promotions.listed", kind="customer"))
    with read() as session:
        views = _views(session, offers.all_of(session, _owner()))
    groups = {one: [view for view in views if view.standing == one] for one in ("live", "coming", "ended")}
    groups["ended"] = groups["ended"][:ENDED_SHOWN]
    return page("goods/offers/list.html", groups=groups)


@bp.get("/new")
@requires("offers")
def kinds() -> ResponseReturnValue:
    """Show the kinds of offer to choose from."""
    return page("goods/offers/kinds.html", kinds=promotion_words.KINDS, goal=request.args.get("goal") or None)


@bp.get("/new/<key>")
@requires("offers")
def begin(key: str) -> ResponseReturnValue:
    """Show the empty form of a kind."""
    kind = _kind(key)
    return _form(kind, promotion_form.empty(kind), offer_id=new_id(), address=url_for("offers.make", key=key))


@bp.post("/new/<key>")
@requires("offers")
def make(key: str) -> ResponseReturnValue:
    """Take a step of the form, or make the offer."""
    return _step(_kind(key), form.command_id(), url_for("offers.make", key=key), new=True)


@bp.get("/<offer_id>")
@requires("offers")
def one(offer_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one offer with its coupons and an example."""
    with read() as session:
        row = offers.offer_of(session, _owner(), offer_id)
        offer = offers.as_offer(row)
        (view,) = _views(session, [(row, offer)])
        codes = offers.coupons_of(session, offer_id)
        example = _example(session, offer)
    return page(
        "goods/offers/one.html", offer=view, codes=codes[:CODES_SHOWN], needs_coupon=row.needs_coupon, example=example,
        fault=fault,
    )  # fmt: skip


@bp.get("/<offer_id>/change")
@requires("offers")
def change(offer_id: str) -> ResponseReturnValue:
    """Show the form of an offer that stands."""
    offer = _to_change(offer_id)
    kind = _kind(promotion_words.key_of(offer))
    address = url_for("offers.put_right", offer_id=offer_id)
    draft = promotion_form.draft_of(offer)
    return _form(kind, draft, offer_id=offer_id, address=address, offer=offer, changing=True)


@bp.post("/<offer_id>/change")
@requires("offers")
def put_right(offer_id: str) -> ResponseReturnValue:
    """Take a step of the form, or change the offer."""
    kind = _kind(promotion_words.key_of(_to_change(offer_id)))
    return _step(kind, offer_id, url_for("offers.put_right", offer_id=offer_id), new=False)


@bp.post("/<offer_id>/end")
@requires("offers")
@form.answers_on(one)
def end(offer_id: str) -> ResponseReturnValue:
    """End an offer now."""
    with write() as session:
        row = offers.end(acting(session), _owner(), offer_id)
        name = row.name
    return form.done(_("%(name)s has ended. The next sale is at the usual price.", name=name), "offers.everything")


@bp.post("/<offer_id>/coupons")
@requires("offers")
@form.answers_on(one)
def make_coupons(offer_id: str) -> ResponseReturnValue:
    """Make codes: one's own, or random ones."""
    own = form.text("code", most=offers.LONGEST_CODE)
    count = 1 if own else form.whole("count", least=1, most=1000)
    uses = form.whole("most_uses", least=1, most=1_000_000) if request.form.get("most_uses", "").strip() else None
    with write() as session:
        made = offers.make_coupons(
            acting(session),
            _owner(),
            offer_id,
            count=count,
            most_uses=uses,
            codes=[own] if own else [],
            until_day=form.date("until_day"),
        )
    flash(ngettext("%(num)d code is ready.", "%(num)d codes are ready.", len(made)), "good")
    return redirect(url_for("offers.one", offer_id=offer_id) + "#coupons", 303)


# --- inside ---


def _owner() -> str:
    """Return whose offers these are: the store's, or on the network's node those of all stores."""
    return place().store_id or EVERYONE


def _kind(key: str) -> Kind:
    kind = promotion_words.kind_of(key)
    if kind is None:
        raise NotFound("not-found-here", "Unknown kind of promotion. Choose one from the list.")
    return kind


def _to_change(offer_id: str) -> Offer:
    with read() as session:
        offer = offers.as_offer(offers.offer_of(session, _owner(), offer_id))
    if not promotion_form.can_change(offer):
        raise Refused("not-to-change", "A markdown cannot be changed. End it, then mark down again.")
    return offer


def _step(kind: Kind, offer_id: str, address: str, *, new: bool) -> ResponseReturnValue:
    """Save the draft when that is asked and it can be; show it again otherwise."""
    if not ids.is_id(offer_id):
        raise NotFound("not-found-here", "Promotion not found. Check the list of promotions.")
    draft = promotion_form.posted(kind)
    step = draft["step"]
    fault: DomainError | None = None
    offer: Offer | None = None
    try:
        offer = promotion_form.offer_from(kind, draft, offer_id)
        if step == "save" and not place().store_id and not promotion_preview.is_seen():
            step = draft["step"] = "preview"
        if step == "save":
            with write() as session:
                if new:
                    goal = form.one_of("goal", ("", *goals.GOALS), sentence=_("Choose what it is for."))
                    row = offers.make(acting(session), _owner(), offer, goal=goal)
                else:
                    row = offers.change(acting(session), _owner(), offer)
                name, needs_coupon = row.name, row.needs_coupon
            flash(_("%(name)s saved. The tills apply it from the next sale.", name=name), "good")
            target = "offers.one" if needs_coupon else "offers.everything"
            return _go(url_for(target, offer_id=offer_id if needs_coupon else None))
    except DomainError as refused:
        fault = refused
    reported = fault if step in ("save", "preview") else None
    status = form.status_of(fault) if fault is not None and step == "save" else 200
    return _form(
        kind, draft, offer_id=offer_id, address=address, fault=reported, offer=offer, status=status, changing=not new
    )  # fmt: skip


def _go(address: str) -> ResponseReturnValue:
    """Send the browser to a page; a script would otherwise put that page into its form."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _form(
    kind: Kind,
    draft: Draft,
    *,
    offer_id: str,
    address: str,
    fault: DomainError | None = None,
    offer: Offer | None = None,
    status: int = 200,
    changing: bool = False,
) -> ResponseReturnValue:
    example, found, searched = None, [], draft["searched"]
    brings, is_network = None, not place().store_id
    with read() as session:
        if searched is not None and draft["step"] != "drop":
            found = _search(session, draft["fields"].get(f"q{searched}", ""))
        skus = [pick[4:] for picks in draft["picks"] for pick in picks if pick.startswith("sku:")]
        names = _names(session, skus)
        if offer is not None:
            try:
                offers.check(session, offer if offer.name.strip() else replace(offer, name=str(kind.name)))
                example = _example(session, offer)
                if is_network and draft["step"] == "preview" and example is not None:
                    saved_bp = BASIS * example.saved_minor // max(1, example.amount_minor)
                    brings = promotion_preview.of_offer(session, offer, saved_bp, clock.now())
            except DomainError as refused:
                fault = fault or (refused if draft["step"] == "preview" else None)
    return page(
        "goods/offers/form.html", "form", status=status, kind=kind, draft=draft, found=found,
        asked=promotion_form.ASKED[kind.key], names=names, offer_id=offer_id, address=address, fault=fault,
        example=example, changing=changing,
        bundle=kind.kind in BUNDLE_KINDS, weekdays=weekdays(), is_network=is_network, brings=brings, goals=goals,
        goal=request.values.get("goal", ""), best=promotion_preview.BEST, currency=place().currency,
        seen=promotion_preview.mark() if is_network and draft["step"] == "preview" and not fault else "",
    )  # fmt: skip


def _views(session: Session, rows: Sequence[tuple[StandingOffer, Offer]]) -> list[OfferView]:
    names = _names(session, [sku for _row, offer in rows for part in offer.parts for sku in _skus(part.choice)])
    coupons = sa.select(offers.Coupon.offer_id, sa.func.count(), sa.func.sum(offers.Coupon.uses))
    counted = {
        offer_id: (codes, used or 0)
        for offer_id, codes, used in session.execute(coupons.group_by(offers.Coupon.offer_id))
    }
    return [
        OfferView(
            row.id,
            row.name,
            promotion_words.sentence(offer, names),
            offers.standing(row, today()),
            row.owner_id == _owner(),
            row.made_by,
            row.made_at,
            *counted.get(row.id, (0, 0)),
            promotion_form.can_change(offer),
        )
        for row, offer in rows
    ]


def _skus(choice: Choice) -> Iterable[str]:
    return choice.skus | choice.but_skus


def _names(session: Session, skus: Iterable[str]) -> dict[str, str]:
    wanted = sorted(set(skus))
    if not wanted:
        return {}
    rows = session.execute(sa.select(Product.sku, Product.shown).where(Product.sku.in_(wanted)))
    return dict(rows.all())


def _search(session: Session, text: str) -> list[tuple[str, str, str]]:
    """Return (pick, name, what it is) of categories, brands and products that hold the text; without one categories."""
    found, called = list[tuple[str, str, str]](), catalogue.category_names(session)
    sorts = (("category", Product.category, _("category")), ("brand", Product.brand, _("brand")))
    for sort, column, word in sorts if text else sorts[:1]:
        names = sa.select(column).where(Product.active, column != "").distinct().order_by(column)
        if text:
            held = sa.func.lower(column).contains(text.casefold(), autoescape=True)
            names = names.where(held | column.in_(catalogue.categories_named(text)) if sort == "category" else held)
        some = session.scalars(names.limit(FOUND if text else 24))
        found += [(f"{sort}:{name}", words.called(name, called.get(name)), word) for name in some]
    query = sa.select(Product).where(Product.active, Product.kind == "goods").order_by(Product.name, Product.sku)
    if place().store_id:
        query = query.join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == _owner(), Listing.active))
    products = session.scalars(query.where(catalogue.matches(text)).limit(FOUND * 2)) if text else ()
    for row in products:
        found.append((f"sku:{row.sku}", row.shown, words.called(row.category, called.get(row.category))))
    return found


def _example(session: Session, offer: Offer) -> Example | None:
    """Return an offer on the least basket of the store's own goods at which it applies; None without such goods."""
    lines: list[tuple[str, str, OfferLine, int | None]] = []
    for part in offer.parts:
        rows = _some(session, part.choice)
        if not rows:
            return None
        pieces = offer.size if offer.kind in PACK_KINDS else part.qty
        several = offer.kind in PACK_KINDS or offer.kind in BUNDLE_KINDS
        rows = rows[:pieces] if several else rows
        for n, (row, price_minor, cost_minor) in enumerate(rows):
            qty = pieces // len(rows) + (n < pieces % len(rows)) if several else 1
            qty = qty if row.stock_unit == "each" else 500
            lines.append((row.shown, row.stock_unit, _line(len(lines), row, qty, price_minor, offer), cost_minor))
    total = sum(line.amount_minor for _name, _unit, line, _cost in lines)
    if offer.minimum_minor > total > 0:
        times = -(-offer.minimum_minor // total)
        lines = [
            (name, unit, replace(line, qty=line.qty * times, amount_minor=line.amount_minor * times), cost)
            for name, unit, line, cost in lines
        ]
    always = replace(
        offer, from_day=None, until_day=None, weekdays=frozenset(), from_minute=None, until_minute=None, codes=None,
        members_only=False,
    )  # fmt: skip
    noon = dt.datetime.combine(today(), dt.time(12))
    applied = promotions.best([line for _n, _u, line, _c in lines], [always], at=noon, member=False)
    names = _names(session, [sku for part in offer.parts for sku in _skus(part.choice)])
    shown = []
    for name, unit, line, cost in lines:
        saved = sum(saving.amount_minor for saving in applied.lines[line.n])
        below = cost is not None and line.amount_minor - saved < amount_for(line.qty, cost, line.price_quantity)
        shown.append(ExampleLine(name, line.qty, unit, line.amount_minor, saved, below))
    return Example(promotion_words.sentence(offer, names), shown)


def _some(session: Session, choice: Choice) -> list[tuple[Product, int, int | None]]:
    """Return a few products of a choice that this store sells, with price and cost."""
    named = sa.or_(
        Product.sku.in_(choice.skus), Product.category.in_(choice.categories),
        Product.department.in_(choice.departments), Product.brand.in_(choice.brands),
        sa.true() if choice.everything else sa.false(),
    )  # fmt: skip
    listing = sa.and_(Listing.sku == Product.sku, Listing.store_id == _owner())
    query = (
        sa.select(Product, Listing.cost_minor)
        .join(Listing, listing, isouter=not place().store_id)
        .where(named, Product.active, Product.kind == "goods", Listing.active | Listing.sku.is_(None))
        .where(Product.sku.not_in(choice.but_skus), Product.category.not_in(choice.but_categories))
        .order_by(Listing.quick_key.is_(None), Listing.quick_key, Product.name)
    )
    rows = session.execute(query.limit(EXAMPLES)).all()
    prices = catalogue.prices_on(session, _owner(), today(), [row.sku for row, _cost in rows])
    return [(row, prices[row.sku], cost) for row, cost in rows if prices.get(row.sku)]


def _line(n: int, row: Product, qty: int, price_minor: int, offer: Offer) -> OfferLine:
    """Return an example's line, of the batch and expiry day the offer asks for."""
    amount = amount_for(qty, price_minor, row.price_quantity)
    ends = offer.expires_on or (today() if offer.expires_within_days is not None else None)
    return OfferLine(
        n, row.sku, row.category, row.department, row.brand, qty, row.stock_unit, price_minor, row.price_quantity,
        amount, offer.batch, ends,
    )  # fmt: skip
