"""What the form of an offer said: a draft that is read step by step, and the offer it makes.

Rules
-----
1. The form carries the whole draft; nothing is kept anywhere until it is saved.
2. A product is picked as 'sku:…', 'category:…', 'brand:…', 'department:…' or 'all:'; for bundles, part by part.
3. A step ('find:0', 'add:0:sku:milk', 'drop:0:sku:milk', 'part', 'preview') shows the draft again; 'save' makes it.
   The Enter key searches where another word stands than was looked for, and shows the example otherwise.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from config.errors import Invalid
from config.money import BASIS, exponent
from pos.pricing.promises import BUNDLE_KINDS, MOST_PARTS, Choice, Offer, Part
from store_app.pages.common import form
from store_app.pages.goods.taxes import rate_text
from store_app.web.days import day_of
from store_app.web.presenting import place
from store_app.words.promotions import Kind, key_of

PICKED = {"sku": "skus", "category": "categories", "brand": "brands", "department": "departments"}
MOST_PICKS = 200
Draft = dict[str, Any]


def empty(kind: Kind) -> Draft:
    """Return a draft with what is usual for its kind."""
    usual: dict[str, dict[str, str]] = {
        "free": {"size": "3", "reduced": "1"},
        "nth": {"size": "2", "reduced": "1", "percent": "50"},
        "pack_price": {"size": "3"},
        "soon": {"expires_within_days": "2", "percent": "30"},
        "together": {"off1": "100"},
    }
    picks: list[list[str]] = [[], []] if kind.kind in BUNDLE_KINDS else [[]]
    fields = usual.get(kind.key, {})
    if kind.kind in BUNDLE_KINDS:
        fields |= {"part_qty0": "1", "part_qty1": "1"}
    if kind.key in ("soon", "basket_percent", "basket_amount"):
        picks = [["all:"]]
    return {"picks": picks, "weekdays": [], "fields": fields, "checked": set(), "step": "", "searched": None}


def draft_of(offer: Offer) -> Draft:
    """Return the draft an offer is changed with."""
    decimals = exponent(place().currency)
    fields = {
        "name": offer.name, "percent": rate_text(offer.percent_bp), "size": str(offer.size),
        "reduced": str(offer.reduced), "amount": _amount_text(offer.amount_minor, decimals),
        "minimum": _amount_text(offer.minimum_minor, decimals) if offer.minimum_minor else "",
        "most_times": str(offer.most_times or ""), "from_day": str(offer.from_day or ""),
        "until_day": str(offer.until_day or ""), "from_time": _time_text(offer.from_minute),
        "until_time": _time_text(offer.until_minute),
        "expires_within_days": "" if offer.expires_within_days is None else str(offer.expires_within_days),
    }  # fmt: skip
    for n, part in enumerate(offer.parts):
        fields |= {f"part_qty{n}": str(part.qty), f"off{n}": rate_text(part.off_bp) if part.off_bp else ""}
    checked = {"members": offer.members_only, "coupon": offer.codes is not None, "stackable": offer.stackable}
    return {
        "picks": [_picks_of(part.choice) for part in offer.parts],
        "weekdays": sorted(offer.weekdays),
        "fields": fields,
        "checked": {name for name, on in checked.items() if on},
        "step": "",
        "searched": None,
    }


def posted(kind: Kind) -> Draft:
    """Return the draft as the form sent it, after the step it asks for (rule 3)."""
    picks: list[list[str]] = []
    for n in range(MOST_PARTS if kind.kind in BUNDLE_KINDS else 1):
        known = [form.tidy(one)[:120] for one in request.form.getlist(f"pick{n}")[:MOST_PICKS]]
        if n < 2 or known or f"part_qty{n}" in request.form:
            picks.append(list(dict.fromkeys(one for one in known if _is_pick(one))))
    picks = picks if kind.kind in BUNDLE_KINDS else picks[:1]
    step, _colon, rest = _step(len(picks)).partition(":")
    part, _colon, pick = rest.partition(":")
    n = int(part) if re.fullmatch("[0-3]", part) and int(part) < len(picks) else 0
    if step == "add" and _is_pick(pick) and pick not in picks[n]:
        picks[n] = [pick] if pick == "all:" else [*(one for one in picks[n] if one != "all:"), pick]
    elif step == "drop" and pick in picks[n]:
        picks[n].remove(pick)
    elif step == "part" and len(picks) < MOST_PARTS:
        picks.append([])
    searched = n if step in ("find", "add", "drop") else None
    fields = {name: form.tidy(value)[: form.WORDS] for name, value in request.form.items() if name != "csrf_token"}
    weekdays = [int(one) for one in request.form.getlist("weekday") if re.fullmatch("[0-6]", one)]
    checked = {name for name in ("members", "coupon", "stackable") if request.form.get(name)}
    return {
        "picks": picks, "weekdays": weekdays, "fields": fields, "checked": checked, "step": step, "searched": searched,
    }  # fmt: skip


def offer_from(kind: Kind, draft: Draft, offer_id: str) -> Offer:
    """Return the offer a sent draft makes, or refuse with the field to mend."""
    fields: Mapping[str, str] = draft["fields"]
    asked = ASKED[kind.key]
    percent_bp = (
        BASIS if kind.key == "free" else percent(fields.get("percent", ""), "percent") if "percent" in asked else 0
    )
    parts = tuple(
        Part(
            _choice(picks),
            _whole(fields, f"part_qty{n}", 1) if kind.kind in BUNDLE_KINDS else 1,
            percent(fields[f"off{n}"], f"off{n}") if kind.kind == "together" and fields.get(f"off{n}") else 0,
        )
        for n, picks in enumerate(draft["picks"])
        if picks or n < 2
    )
    return Offer(
        offer_id,
        fields.get("name", ""),
        kind.kind,
        parts,
        percent_bp=percent_bp,
        amount_minor=form.amount("amount", place().currency) if "amount" in asked else 0,
        size=_whole(fields, "size", 3) if "size" in asked else 1,
        reduced=_whole(fields, "reduced", 1) if "size" in asked and kind.kind == "nth" else 1,
        minimum_minor=form.amount("minimum", place().currency) if "minimum" in asked and fields.get("minimum") else 0,
        most_times=_whole(fields, "most_times", 1) if fields.get("most_times") else None,
        stackable="stackable" in draft["checked"] and "minimum" in asked,
        members_only="members" in draft["checked"],
        codes=frozenset() if "coupon" in draft["checked"] else None,
        from_day=_date(fields, "from_day"),
        until_day=_date(fields, "until_day"),
        weekdays=frozenset(draft["weekdays"]),
        from_minute=_minute(fields, "from_time"),
        until_minute=_minute(fields, "until_time"),
        expires_within_days=_whole(fields, "expires_within_days", 0, least=0) if kind.key == "soon" else None,
    )


ASKED: dict[str, tuple[str, ...]] = {
    "percent": ("percent",),
    "amount": ("amount",),
    "price": ("amount",),
    "free": ("size",),
    "nth": ("size", "percent"),
    "pack_price": ("size", "amount"),
    "bundle": ("amount",),
    "together": (),
    "soon": ("percent",),
    "basket_percent": ("percent", "minimum"),
    "basket_amount": ("amount", "minimum"),
}
"""What each kind asks for beside products and time."""


def can_change(offer: Offer) -> bool:
    """Tell whether the form knows all of an offer: a markdown bound to a day is ended and made again instead."""
    return key_of(offer) in ASKED and offer.expires_on is None and offer.batch is None


def percent(raw: str, field: str) -> int:
    """Return a typed percentage in basis points: '20', '12.5', '33,33'."""
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?", raw.strip().rstrip("%").strip(), re.ASCII)
    rate_bp = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    if not 0 < rate_bp <= BASIS:
        raise Invalid("bad-reduction", "Enter a percentage from 1 to 100.", field=field)
    return rate_bp


# --- inside ---


def _step(parts: int) -> str:
    """Return the step asked for; the Enter key's is told from what stands in the search fields (rule 3)."""
    step = request.form.get("do", "save")
    if step != "enter":
        return step
    fresh = (n for n in range(parts) if request.form.get(f"q{n}", "") != request.form.get(f"sought{n}", ""))
    return next((f"find:{n}" for n in fresh), "preview")


def _is_pick(pick: str) -> bool:
    sort, _colon, name = pick.partition(":")
    return pick == "all:" or (sort in PICKED and bool(name))


def _choice(picks: Sequence[str]) -> Choice:
    named: dict[str, set[str]] = {}
    for pick in picks:
        sort, _colon, name = pick.partition(":")
        if sort in PICKED:
            named.setdefault(PICKED[sort], set()).add(name)
    wanted: dict[str, Any] = {sort: frozenset(names) for sort, names in named.items()}
    return Choice(**wanted, everything="all:" in picks)


def _picks_of(choice: Choice) -> list[str]:
    picks = [f"{sort}:{name}" for sort, field in PICKED.items() for name in sorted(getattr(choice, field))]
    return [*picks, "all:"] if choice.everything else picks


def _whole(fields: Mapping[str, str], name: str, usual: int, *, least: int = 1) -> int:
    raw = fields.get(name, "")
    return form.number(raw, name, least=least, most=99) if raw else usual


def _date(fields: Mapping[str, str], name: str) -> dt.date | None:
    raw = fields.get(name, "")
    if not raw:
        return None
    if (found := day_of(raw)) is None:
        raise Invalid("bad-days", "That is not a date. Choose one from the calendar.", field=name)
    return found


def _minute(fields: Mapping[str, str], name: str) -> int | None:
    raw = fields.get(name, "")
    if not raw:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?", raw, re.ASCII)
    if not found:
        raise Invalid("bad-hours", "Enter a time such as 17:30.", field=name)
    return int(found[1]) * 60 + int(found[2])


def _amount_text(amount_minor: int, decimals: int) -> str:
    return f"{amount_minor / 10**decimals:.{decimals}f}"


def _time_text(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"
