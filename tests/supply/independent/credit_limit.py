"""Recompute a credit limit from a shop's exported data: `credit_limit.py EXPORT.json`. Imports nothing of ours."""

import datetime as dt
import json
import sys
from fractions import Fraction
from pathlib import Path


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))


data = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
line, terms = data["line"], data["line"]["terms"]
day = dt.date.fromisoformat(line["worked_out_on"])

# the last complete weeks, Monday to Sunday, from the first one with sales
sunday = day
while sunday.weekday() != 6:
    sunday -= dt.timedelta(days=1)
sums: dict[int, int] = {}
for text, minor in data["sales_by_day"]:
    back = (sunday - dt.date.fromisoformat(text)).days
    if 0 <= back < 7 * data["weeks"]:
        sums[back // 7] = sums.get(back // 7, 0) + minor
weeks = [sums.get(n, 0) for n in range(max(sums, default=-1) + 1)]
if len(weeks) < 4:
    print(0)
    sys.exit()

# what fell due lately, and how much of it was paid in time
due = on_time = 0
for invoice in data["invoices"]:
    when = dt.date.fromisoformat(invoice["due_day"])
    if not day - dt.timedelta(days=data["repaid_days"]) < when <= day:
        continue
    paid = [e for e in data["entries"] if e["kind"] == "paid" and e["invoice"] == invoice["id"]]
    early = sum(e["amount_minor"] for e in paid if dt.date.fromisoformat(e["day"]) <= when)
    due += invoice["amount_minor"]
    on_time += min(invoice["amount_minor"], early)

weeks.sort()
n = len(weeks)
typical = weeks[n // 2] if n % 2 else half_up(Fraction(weeks[n // 2 - 1] + weeks[n // 2], 2))
steady = min(10_000, half_up(Fraction(10_000 * weeks[n // 4], typical))) if typical > 0 else 0
repaid = max(0, 2 * half_up(Fraction(10_000 * on_time, due)) - 10_000) if due else terms["first_bp"]
amount = typical
for factor in (terms["weeks_bp"], steady, repaid, line["facts"]["standing_bp"]):
    amount = half_up(Fraction(amount * factor, 10_000))
amount = min(amount, terms["cap_minor"])
print(amount - amount % terms["whole_minor"])
