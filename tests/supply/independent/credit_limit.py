"""Recompute a credit limit from a store's exported data: `credit_limit.py EXPORT.json`. Imports nothing of ours."""

import datetime as dt
import json
import sys
from fractions import Fraction
from pathlib import Path


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))


def middle(values: list[int]) -> int:
    ranked, n = sorted(values), len(values)
    return ranked[n // 2] if n % 2 else half_up(Fraction(ranked[n // 2 - 1] + ranked[n // 2], 2))


data = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
line, terms = data["line"], data["line"]["terms"]
day = dt.date.fromisoformat(line["worked_out_on"])

# the last complete weeks, Monday to Sunday, from the first one with sales; no day or week counts far beyond the usual
sunday = day - dt.timedelta(days=(day.weekday() + 1) % 7)
ago = {text: (sunday - dt.date.fromisoformat(text)).days for text, _ in data["sales_by_day"]}
days = [(ago[text] // 7, minor) for text, minor in data["sales_by_day"] if 0 <= ago[text] < 7 * data["weeks"]]
most = 3 * middle([minor for _, minor in days if minor > 0] or [0])
weeks: list[int] = []
for week in range(max((back for back, _ in days), default=-1), -1, -1):
    known = [one for one in weeks if one > 0]
    sold = sum(min(minor, most) for back, minor in days if back == week)
    weeks.append(min(sold, half_up(Fraction(3 * middle(known), 2))) if len(known) >= 3 else sold)
if len(weeks) < 4:
    sys.exit(print(0))
# what fell due lately, and how much of it was paid in time
due = on_time = 0
for invoice in data["invoices"]:
    when = dt.date.fromisoformat(invoice["due_day"])
    if day - dt.timedelta(days=data["repaid_days"]) < when <= day:
        own = [(e["kind"], e["day"], e["amount_minor"]) for e in data["entries"] if e["invoice"] == invoice["id"]]
        early = sum(m * ((k == "paid" and d <= invoice["due_day"]) - (k == "unpaid")) for k, d, m in own)
        due, on_time = due + invoice["amount_minor"], on_time + max(0, min(invoice["amount_minor"], early))

amount = typical = max(0, middle(weeks))
steady = min(10_000, half_up(Fraction(10_000 * max(0, sorted(weeks)[len(weeks) // 4]), typical))) if typical else 0
repaid = max(0, 2 * half_up(Fraction(10_000 * on_time, due)) - 10_000) if due else terms["first_bp"]
for factor in (terms["weeks_bp"], steady, repaid, line["facts"]["standing_bp"]):
    amount = half_up(Fraction(amount * factor, 10_000))
amount = min(amount, terms["first_most_minor"] + 2 * on_time, terms["cap_minor"])
print(amount - amount % terms["whole_minor"])
