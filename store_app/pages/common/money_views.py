"""What pages about money with the network show, at the store and the operator: a line, its story, a statement."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from config.errors import Invalid
from store_app.web.days import day_of
from store_app.words import money
from supply.membership.level import KNOWN, LEVELS, Measure
from supply.money import ledger
from supply.money.credit import CreditLine
from supply.money.ledger import LedgerEntry, Standing
from supply.money.pain001 import plain
from supply.money.terms import Terms

WIDE = 100
DAYS = 31


@dataclass(frozen=True)
class StepView:
    """A step of a limit: its sentence, the amount after it, and how long its bar is of WIDE."""

    words: str
    after_minor: int
    width: int
    last: bool


@dataclass(frozen=True)
class GaugeView:
    """A limit as a bar of WIDE: what is owed, what is spoken for, what is left."""

    limit_minor: int
    used_minor: int
    pending_minor: int
    left_minor: int
    used: int
    pending: int


@dataclass(frozen=True)
class StatementView:
    """A store's account over some days: (entry, what it is, effect, owed after it), what was owed before and after."""

    first: dt.date
    last: dt.date
    before_minor: int
    rows: list[tuple[LedgerEntry, str, int, int]]
    after_minor: int


def steps_of(line: CreditLine) -> list[StepView]:
    """Return how a limit came about, step by step."""
    most = max([step["after_minor"] for step in line.steps] or [1]) or 1
    return [
        StepView(
            money.step_sentence(step, line.facts),
            step["after_minor"],
            step["after_minor"] * WIDE // most,
            step["name"] == "limit",
        )
        for step in line.steps
    ]


@dataclass(frozen=True)
class MeasureView:
    """A measure of the standing: what it is, its share, and the share each level wants of it."""

    words: str
    detail: str
    value_bp: int | None
    wanted_bp: list[int]
    level: int


@dataclass(frozen=True)
class LevelView:
    """A level: its name, how much more credit it gives, the days free of interest, how many measures it wants."""

    n: int
    words: str
    more_bp: int
    days: int
    known: int


def measures(found: dict[str, Measure]) -> list[MeasureView]:
    """Return the measures as bars: each with the level it reaches by itself."""
    views = []
    for name, one in found.items():
        wanted_bp = [thresholds[name] for thresholds in LEVELS]
        level = sum(one.value_bp >= wanted for wanted in wanted_bp) if one.value_bp is not None else 0
        words, detail = money.measure_words(name, one)
        views.append(MeasureView(words, detail, one.value_bp, wanted_bp, level))
    return views


def levels(terms: dict[str, Any]) -> list[LevelView]:
    """Return what each level gives by the store's terms; before these are known, by the network's first ones."""
    each_bp, each_days = int(terms.get("level_bp", Terms.level_bp)), int(terms.get("level_days", Terms.level_days))
    free = int(terms.get("free_days", Terms.free_days))
    return [
        LevelView(n, str(words), n * each_bp, free + n * each_days, KNOWN[n - 1] if n else 0)
        for n, words in enumerate(money.LEVELS)
    ]


def gauge(limit_minor: int, used_minor: int, pending_minor: int, left_minor: int) -> GaugeView:
    """Return a limit as a bar; what is owed beyond it fills it."""
    whole = max(1, limit_minor, used_minor + pending_minor)
    return GaugeView(
        limit_minor, used_minor, pending_minor, left_minor, used_minor * WIDE // whole, pending_minor * WIDE // whole
    )


def statement(session: Session, store_id: str, first: dt.date, last: dt.date) -> StatementView:
    """Return what changed on a store's account in some days, day by day; what only moves within it is left out."""
    owed = ledger.owed(ledger.balances(session, store_id, until=first - dt.timedelta(days=1)))
    before, rows = owed, []
    booked = ledger.entries_of(session, store_id, first, last)
    # by the day it is for: a day may be settled in the night after it
    for entry in sorted(booked, key=lambda one: (one.business_day, one.n)):
        change = ledger.effect(entry)
        if change:
            owed += change
            rows.append((entry, money.kind_word(entry.kind), change, owed))
    return StatementView(first, last, before, rows, owed)


def ledger_rows(session: Session, store_id: str, first: dt.date, last: dt.date, currency: str) -> list[list[str]]:
    """Return every entry of some days as rows of text, the heads first: the whole ledger, for a spreadsheet."""
    rows = [["n", "day", "kind", "from", "to", "amount", "currency", "invoice", "reference", "words"]]
    for one in ledger.entries_of(session, store_id, first, last):
        amount = plain(one.amount_minor, currency)
        rows.append([
            str(one.n), one.business_day.isoformat(), one.kind, one.from_account, one.to_account, amount, currency,
            one.invoice_id or "", one.source_id, one.words,
        ])  # fmt: skip
    return rows


def period(asked: Any, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the days asked for in an address, the last DAYS otherwise; Invalid for days that are none."""
    first = day_of(asked.get("first") or (today - dt.timedelta(days=DAYS - 1)).isoformat())
    last = day_of(asked.get("last") or today.isoformat())
    if first is None or last is None:
        raise Invalid("no-day", "Choose a day.", field="first")
    if not 0 <= (last - first).days <= 1100:
        raise Invalid("bad-period", "The first day must not be after the last.", field="first")
    return first, last


def open_with_lateness(session: Session, store_id: str, today: dt.date) -> list[tuple[Standing, str]]:
    """Return a store's open invoices, each with how pressing it is."""
    return [(one, lateness(one, today)) for one in ledger.open_invoices(session, store_id)]


def lateness(standing: Standing, today: dt.date) -> str:
    """Return how pressing an invoice is: late, soon (within three days), or open."""
    days = (standing.invoice.due_day - today).days
    return "late" if days < 0 else "soon" if days <= 3 else "open"
