"""What a program may send: strict shapes, and the sentences when it is something else."""

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import Invalid
from store_app.sync.wire import faults_of

LARGEST = 2**53
MAX_LINES = 500


class Body(BaseModel):
    """A strict body: integers are integers (no text, no truth value, no fraction); unknown names are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class BasketLine(Body):
    """One line of a basket: how many stock units of a product."""

    sku: str = Field(min_length=1, max_length=64)
    qty: int = Field(ge=-LARGEST, le=LARGEST)


class TenderLine(Body):
    """What the customer gave, in minor units."""

    tender: str = Field(min_length=1, max_length=20)
    amount_minor: int = Field(ge=-LARGEST, le=LARGEST)
    reference: str = Field(default="", max_length=40)
    """What the card terminal printed, if anything."""


class QuoteBody(Body):
    """A basket to be priced."""

    lines: list[BasketLine] = Field(max_length=MAX_LINES)
    cash: bool = False


class SaleBody(Body):
    """A whole sale. id is made by the page when the basket opens and is sent again after a lost answer."""

    id: str = Field(min_length=8, max_length=40)
    till_id: str = Field(min_length=1, max_length=20)
    lines: list[BasketLine] = Field(max_length=MAX_LINES)
    tenders: list[TenderLine] = Field(max_length=20)
    shown_total_minor: int = Field(ge=-LARGEST, le=LARGEST)
    age_confirmed: int | None = Field(default=None, ge=0, le=150)


class OpenShiftBody(Body):
    """The float a shift begins with."""

    till_id: str = Field(min_length=1, max_length=20)
    float_minor: int = Field(ge=-LARGEST, le=LARGEST)


class CloseShiftBody(Body):
    """The cash that was counted, blind."""

    counted_minor: int = Field(ge=-LARGEST, le=LARGEST)


class Nothing(Body):
    """No content."""


Shape = TypeVar("Shape", bound=BaseModel)


def parsed(shape: type[Shape]) -> Shape:
    """Return the request's body in this shape, or raise Invalid with every fault in words."""
    raw = request.get_data() or b"{}"
    if b"\\u0000" in raw:  # a database's text cannot hold it
        raise Invalid("bad-request", "The request needs mending: no text may hold the sign NUL.", faults=["NUL"])
    try:
        return shape.model_validate_json(raw)
    except ValidationError as fault:
        faults = faults_of(fault)
        raise Invalid("bad-request", "The request needs mending: " + "; ".join(faults) + ".", faults=faults) from fault


def bounded(name: str, default: int, most: int) -> int:
    """Return a whole number of the address between 1 and `most`."""
    text: Any = request.args.get(name, default)
    try:
        number = int(text)
    except ValueError as fault:
        raise Invalid("bad-request", f"{name} must be a whole number.", name=name) from fault
    if not 1 <= number <= most:
        raise Invalid("bad-request", f"{name} must be between 1 and {most}.", name=name)
    return number
