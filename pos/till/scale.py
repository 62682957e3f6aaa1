"""The scale at the counter, and the tare of what is weighed in a box.

Rules
-----
1. A scale says grams, and whether it has settled; what it cannot weigh (overload, below zero, silence) is a refusal
   with a sentence that says what to do. Nothing is sold by a weight that has not settled.
2. Net weight is what lies on the scale less the tare: the one typed now, else the product's own.
3. Every weighing asks the scale again; no reading is kept.

A setting names the scale: '' none, 'practice', a protocol and its port (`scale_drivers`), or 'plugin:name'; several
tills each name their own: 'T1=toledo:/dev/ttyS0; T2=practice'. Where it is '', the one plug-in that is set up weighs.
"""

import json
import threading
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue import till_edition
from pos.catalogue.catalogue import Product
from pos.till import scale_drivers
from pos.till.scale_drivers import MOST_GRAMS, Weighing

PRACTICE_FILE = "practice-scale.json"


class ProductTare(Base):
    """What the box, bag or tray of a product weighs at a store."""

    __tablename__ = "product_tare"
    __table_args__ = (sa.CheckConstraint("tare_grams > 0", name="tare_positive"),)

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    tare_grams: Mapped[int]


class Scale(Protocol):
    """Something that weighs."""

    def weigh(self) -> Weighing:
        """Return what lies on it now; raises Refused or Unreachable with a sentence (rule 1)."""


class PracticeScale:
    """A scale of paper: a file in the state folder says what lies on it.

    The file holds {"grams": 312, "stable": true}, or {"fault": "scale-overload"}, or a list of such readings, of which
    each weighing takes the next and the last one stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def weigh(self) -> Weighing:
        """Return the next reading of the file; an empty scale without one."""
        with self._lock:
            try:
                said: Any = json.loads(self.path.read_text("utf-8"))
            except FileNotFoundError:
                said = {"grams": 0}
            except (OSError, ValueError) as fault:
                raise scale_drivers.refusal("scale-silent") from fault
            if isinstance(said, list) and len(said) > 1:
                self._keep(said[1:])
            reading = (said or [{}])[0] if isinstance(said, list) else said
        if not isinstance(reading, dict) or not isinstance(reading.get("grams", 0), int):
            raise scale_drivers.refusal("scale-silent")
        if reading.get("fault") in scale_drivers.FAULTS:
            raise scale_drivers.refusal(reading["fault"])
        return Weighing(reading.get("grams", 0), stable=bool(reading.get("stable", True)))

    def put(self, grams: int, *, stable: bool = True) -> None:
        """Lay something on the scale."""
        if not 0 <= grams <= MOST_GRAMS:
            raise Invalid("bad-weight", "Put 0 to %(most)s grams on the practice scale.", most=MOST_GRAMS, grams=grams)
        with self._lock:
            self._keep({"grams": grams, "stable": stable})

    def _keep(self, said: Any) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(said), "utf-8")
        fresh.replace(self.path)


# --- verbs ---


def set_tare(ctx: Context, store_id: str, sku: str, tare_grams: int) -> None:
    """Say what a product's box weighs; 0 takes it away (rule 2)."""
    _tare(tare_grams)
    product = ctx.session.get(Product, sku)
    if product is None:
        raise NotFound(
            "unknown-product", "Product %(sku)s not found. Add it under Products first.", sku=sku, skus=[sku]
        )
    if product.stock_unit != "gram":
        raise Refused("not-weighed", "%(name)s is not sold by weight, so it has no tare.", name=product.shown)
    row = ctx.session.get(ProductTare, (store_id, sku))
    if tare_grams == 0:
        if row is not None:
            ctx.session.delete(row)
    elif row is None:
        ctx.session.add(ProductTare(store_id=store_id, sku=sku, tare_grams=tare_grams))
    else:
        row.tare_grams = tare_grams
    till_edition.begin(ctx.session, store_id)
    journal.record(ctx, verb="tare.set", subject=f"product:{sku}", tare_grams=tare_grams)


# --- questions ---


def tares(session: Session, store_id: str) -> dict[str, int]:
    """Return the tare of every product that has one, in grams."""
    query = sa.select(ProductTare.sku, ProductTare.tare_grams).where(ProductTare.store_id == store_id)
    return {row.sku: row.tare_grams for row in session.execute(query.order_by(ProductTare.sku))}


def net(weighing: Weighing, tare_grams: int) -> Weighing:
    """Return a weighing less a tare (rule 2); a settled scale with nothing but the tare on it is refused."""
    _tare(tare_grams)
    left = weighing.grams - tare_grams
    if weighing.stable and left <= 0:
        if weighing.grams > 0:
            raise Refused(
                "tare-heavier",
                "The scale shows %(grams)s g, but the tare alone is %(tare_grams)s g. Add the product or "
                "change the tare.", grams=weighing.grams, tare_grams=tare_grams,
            )  # fmt: skip
        raise scale_drivers.refusal("scale-empty")
    return replace(weighing, grams=max(0, left), tare_grams=tare_grams)


def settled(weighing: Weighing) -> Weighing:
    """Return a weighing that can be sold by, or refuse one that still moves (rule 1)."""
    if not weighing.stable:
        raise scale_drivers.refusal("scale-moving")
    return weighing


def setting_for(setting: str, till_id: str) -> str:
    """Return the part of the setting that is this till's; a setting without till names is everybody's."""
    named = dict(part.strip().split("=", 1) for part in setting.split(";") if _names_till(part))
    if named:
        return named.get(till_id, "").strip()
    return setting.strip()


def plugin_for(setting: str, known: Collection[str]) -> str:
    """Return the plug-in that weighs by one till's setting, '' for none. known: those that are set up."""
    kind, _, name = setting.partition(":")
    return name if kind == "plugin" else next(iter(known)) if not setting and len(known) == 1 else ""


def open_scale(setting: str, state_folder: Path) -> Scale | None:
    """Return the scale one till's setting names; None for none, Invalid for one nobody knows."""
    if not setting:
        return None
    if setting == "practice":
        return PracticeScale(state_folder / PRACTICE_FILE)
    return scale_drivers.driver(setting)


# --- inside ---


def _names_till(part: str) -> bool:
    before = part.partition("=")[0]
    return "=" in part and ":" not in before and "," not in before


def _tare(grams: int) -> None:
    if not 0 <= grams <= MOST_GRAMS:
        raise Invalid("bad-weight", "Enter a tare from 0 to %(most)s grams.", most=MOST_GRAMS, grams=grams)
