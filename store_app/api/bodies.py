"""What a program may send: strict shapes, and the sentences when it is something else."""

import datetime as dt
import functools
import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from config.errors import Invalid
from config.nodes import door
from pos.catalogue.gs1 import LONGEST
from pos.sale.sale_request import LONGEST_NAME, RungLine
from store_app.sync.wire import faults_of

LARGEST = door.MOST
MAX_LINES = 500
MAX_PARTS, MAX_CORRECTIONS = 100, 5000

Sku = Annotated[str, Field(min_length=1, max_length=64)]
Qty = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Amount = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Corrections = list[tuple[Sku, Qty] | tuple[Sku, Qty, Amount]]
"""What was taken off a basket again: product, quantity, and what it was shown to cost."""


class Body(BaseModel):
    """A strict body: integers are integers (no text, no truth value, no fraction); unknown names are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class BasketLine(Body):
    """One line of a basket, as `pos.sale.sale_request.RungLine` says."""

    sku: str = Field(min_length=1, max_length=64)
    qty: int = Field(ge=-LARGEST, le=LARGEST)
    price_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    amount_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    discount_minor: int = Field(default=0, ge=0, le=LARGEST)
    discount_bp: int = Field(default=0, ge=0, le=10_000)
    reason: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=200)
    batch: str | None = Field(default=None, max_length=40)
    expires_on: dt.date | None = None
    code: str = Field(default="", max_length=LONGEST)
    """What was scanned, where amount, batch or last day are its word."""
    called: str = Field(default="", max_length=LONGEST_NAME)

    def rung(self) -> RungLine:
        """Return the line as the counter takes it."""
        return RungLine(**vars(self))


class BackLine(Body):
    """Units of a receipt's line that are brought back."""

    sale_id: str = Field(min_length=1, max_length=40)
    n: int = Field(ge=1, le=100_000)
    qty: int = Field(ge=-LARGEST, le=LARGEST)
    restock: bool = True


class TenderLine(Body):
    """What the customer gave (or is given back, below zero), in minor units."""

    tender: str = Field(min_length=1, max_length=20)
    amount_minor: int = Field(ge=-LARGEST, le=LARGEST)
    reference: str = Field(default="", max_length=40)
    """What the card terminal printed, or the code of a voucher."""
    payment_id: str = Field(default="", max_length=40)
    """The payment that a provider captured."""


class QuoteBody(Body):
    """A basket to be priced."""

    lines: list[BasketLine] = Field(max_length=MAX_LINES)
    cash: bool = False
    customer_id: str | None = Field(default=None, max_length=40)
    coupons: list[str] = Field(default_factory=list, max_length=20)
    brought_back: list[BackLine] = Field(default_factory=list, max_length=MAX_LINES)


class TillBody(Body):
    """What is asked at a till. id: the command's, made by the page."""

    id: str = Field(min_length=8, max_length=40)
    till_id: str = Field(min_length=1, max_length=20)


class SaleBody(TillBody):
    """A whole sale. id is made by the page when the basket opens and is sent again after a lost answer."""

    lines: list[BasketLine] = Field(max_length=MAX_LINES)
    tenders: list[TenderLine] = Field(max_length=MAX_PARTS)
    shown_total_minor: int = Field(ge=-LARGEST, le=LARGEST)
    age_confirmed: int | None = Field(default=None, ge=0, le=150)
    age_how: str | None = Field(default=None, max_length=20)
    customer_id: str | None = Field(default=None, max_length=40)
    coupons: list[str] = Field(default_factory=list, max_length=20)
    brought_back: list[BackLine] = Field(default_factory=list, max_length=MAX_LINES)
    approvals: list[str] = Field(default_factory=list, max_length=MAX_LINES)
    note: str = Field(default="", max_length=200)
    corrections: Corrections = Field(default_factory=list, max_length=MAX_CORRECTIONS)
    practice: bool = False
    """Book nothing: the same rules answer, and everything is undone."""


class ParkBody(Body):
    """A basket to be set aside; basket is the page's own."""

    till_id: str = Field(min_length=1, max_length=20)
    label: str = Field(default="", max_length=60)
    total_minor: int = Field(ge=-LARGEST, le=LARGEST)
    basket: dict[str, Any]

    @field_validator("basket")
    @classmethod
    def _is_json(cls, basket: dict[str, Any]) -> dict[str, Any]:
        json.dumps(basket, allow_nan=False)  # NaN and infinity are no JSON, and no page could read them back
        return basket


class TakeUpBody(Body):
    """The till a basket is taken up at. from_till_id: the till that has it in hand, where another does."""

    till_id: str = Field(min_length=1, max_length=20)
    from_till_id: str | None = Field(default=None, max_length=20)
    approvals: list[str] = Field(default_factory=list, max_length=20)


class VoidBody(Body):
    """A basket to be given up, and why."""

    till_id: str = Field(min_length=1, max_length=20)
    why: str = Field(min_length=1, max_length=200)
    total_minor: int = Field(ge=-LARGEST, le=LARGEST)
    lines: list[BasketLine] = Field(default_factory=list, max_length=MAX_LINES)
    corrections: Corrections = Field(default_factory=list, max_length=MAX_CORRECTIONS)
    approvals: list[str] = Field(default_factory=list, max_length=20)


class BadgeBody(Body):
    """A scanned badge."""

    badge: str = Field(min_length=1, max_length=64)


class Covered(Body):
    """One thing that is allowed (`pos.store.approvals`). lines: (line or SKU, qty, price_minor)."""

    sku: str | None = Field(default=None, max_length=64)
    sale_id: str | None = Field(default=None, max_length=40)
    qty: int | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    price_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    list_price_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    raised_to_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    discount_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    discount_bp: int | None = Field(default=None, ge=0, le=10_000)
    amount_minor: int | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    total_minor: int | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    over_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    short_minor: int | None = Field(default=None, ge=0, le=LARGEST)
    lines: list[tuple[str, int, int]] | None = Field(default=None, max_length=MAX_LINES)


class ApprovalBody(Body):
    """Somebody's leave, proven by a PIN."""

    staff_id: str = Field(min_length=1, max_length=60)
    pin: str = Field(min_length=1, max_length=12)
    permission: str = Field(min_length=1, max_length=40)
    sale_id: str = Field(min_length=1, max_length=40)
    till_id: str = Field(min_length=1, max_length=20)
    why: str = Field(default="", max_length=200)
    covers: list[Covered] = Field(default_factory=lambda: [Covered()], min_length=1, max_length=MAX_LINES)
    """What is allowed, nothing beyond it; one without figures for what has none."""


class GiftBody(TillBody):
    """The wish for a gift receipt, printed at the till that asks. id: the command's."""


class MailBody(Body):
    """The wish for a receipt by e-mail. id: the command's."""

    id: str = Field(min_length=8, max_length=40)
    email: str = Field(min_length=1, max_length=254)


class ReturnLine(Body):
    """How many units of a receipt's line come back."""

    n: int = Field(ge=1, le=100_000)
    qty: int = Field(ge=-LARGEST, le=LARGEST)
    restock: bool = True


class BackBody(TillBody):
    """Goods brought back, and how the money is given back."""

    tender: str = Field(default="cash", max_length=20)
    reference: str = Field(default="", max_length=40)
    why: str = Field(default="", max_length=200)
    approvals: list[str] = Field(default_factory=list, max_length=20)
    customer_id: str | None = Field(default=None, max_length=40)
    practice: bool = False


class ReturnBody(BackBody):
    """Goods brought back with their receipt."""

    sale_id: str = Field(min_length=1, max_length=40)
    lines: list[ReturnLine] = Field(max_length=MAX_LINES)


class ReturnPlanBody(Body):
    """A return whose money is to be planned. id: the return's, as the page made it."""

    id: str = Field(min_length=8, max_length=40)
    sale_id: str = Field(min_length=1, max_length=40)
    lines: list[ReturnLine] = Field(min_length=1, max_length=MAX_LINES)
    tender: str = Field(default="cash", max_length=20)


class BlindLine(Body):
    """Units brought back without a receipt, at a typed price."""

    sku: str = Field(min_length=1, max_length=64)
    qty: int = Field(ge=-LARGEST, le=LARGEST)
    price_minor: int = Field(ge=0, le=LARGEST)
    restock: bool = True


class BlindReturnBody(BackBody):
    """Goods brought back without their receipt."""

    lines: list[BlindLine] = Field(max_length=MAX_LINES)


class DrawerBody(TillBody):
    """The wish to open the drawer without a sale."""

    why: str = Field(min_length=1, max_length=200)
    approvals: list[str] = Field(default_factory=list, max_length=20)


class CopyBody(Body):
    """The wish for a copy of a receipt. whole: with the vouchers' whole codes."""

    whole: bool = False
    approvals: list[str] = Field(default_factory=list, max_length=20)


class OpenShiftBody(Body):
    """The float a shift begins with: a sum, or pieces by denomination ('note-2000': 3)."""

    till_id: str = Field(min_length=1, max_length=20)
    float_minor: int = Field(default=0, ge=-LARGEST, le=LARGEST)
    pieces: dict[str, int] | None = Field(default=None, max_length=60)


class CountBody(Body):
    """What was counted, blind: a sum or pieces; neither only begins the count. id: made by the page."""

    id: str | None = Field(default=None, min_length=8, max_length=40)
    counted_minor: int | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    pieces: dict[str, int] | None = Field(default=None, max_length=60)


class CloseShiftBody(CountBody):
    """The end of a shift; counted now, or before. why and approvals: for a drawer that is off beyond the tolerance."""

    why: str = Field(default="", max_length=200)
    approvals: list[str] = Field(default_factory=list, max_length=20)


class SignOverBody(Body):
    """Who takes a drawer over, and the PIN that proves it."""

    to: str = Field(min_length=1, max_length=80)
    pin: str = Field(min_length=1, max_length=12)


class Nothing(Body):
    """No content."""


Shape = TypeVar("Shape", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])


def parsed(shape: type[Shape]) -> Shape:
    """Return the request's body in this shape, or raise Invalid with every fault in words."""
    raw = request.get_data() or b"{}"
    if b"\\u0000" in raw:  # a database's text cannot hold it
        raise Invalid("bad-request", "Correct the request: no text may contain a NUL character.", faults=["NUL"])
    try:
        return shape.model_validate_json(raw)
    except ValidationError as fault:
        faults = faults_of(fault)
        raise Invalid("bad-request", "Correct the request: %(faults)s.", faults=faults) from fault


def takes(shape: type[BaseModel]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the view the request's body as `body` (one of Nothing is only looked at); its shape is told to callers."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def with_body(**place: Any) -> Any:
            body = parsed(shape)
            return view(**place) if shape is Nothing else view(body=body, **place)

        return shaped(shape)(with_body)

    return wrap


def shaped(shape: type[BaseModel]) -> Callable[[View], View]:
    """Tell callers the shape of the body that the view reads by itself."""

    def mark(view: View) -> View:
        view.shape = shape  # type: ignore[attr-defined]
        return view

    return mark


def answers(shape: type[BaseModel]) -> Callable[[View], View]:
    """Tell callers the shape of what the view answers."""

    def mark(view: View) -> View:
        view.answer = shape  # type: ignore[attr-defined]
        return view

    return mark


def asks(**words: str) -> Callable[[View], View]:
    """Tell callers what the view reads from the address: name -> what it is for. None of it must be there."""

    def mark(view: View) -> View:
        view.asked = words  # type: ignore[attr-defined]
        return view

    return mark


def needs(name: str, what: str) -> Callable[[View], View]:
    """Tell callers a header that the view needs."""

    def mark(view: View) -> View:
        view.needs = {name: what}  # type: ignore[attr-defined]
        return view

    return mark


def gives(media: str) -> Callable[[View], View]:
    """Tell callers what the view answers when that is not JSON."""

    def mark(view: View) -> View:
        view.media = media  # type: ignore[attr-defined]
        return view

    return mark


def bounded(name: str, default: int, most: int) -> int:
    """Return a whole number of the address between 1 and `most`."""
    text: Any = request.args.get(name, default)
    try:
        number = int(text)
    except ValueError as fault:
        raise Invalid("bad-request", "%(name)s must be a whole number.", name=name) from fault
    if not 1 <= number <= most:
        raise Invalid("bad-request", "%(name)s must be between 1 and %(most)s.", most=most, name=name)
    return number
