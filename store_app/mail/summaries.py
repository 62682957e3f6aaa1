"""The summary of a day or a week as it is e-mailed, in the store's language (`supply.membership.day_summary`)."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from config import words
from config.words import Language
from pos.messages import OutgoingMessage
from pos.reports.figures import change_bp
from pos.store.store import store_of
from store_app.mail.envelopes import Envelope
from store_app.words.reports import BEFORE, FIGURES
from store_app.words.today import TITLES


def written(session: Session, row: OutgoingMessage) -> Envelope:
    """Return a summary as it is carried."""
    store, body = store_of(session, row.store_id), row.body
    say = words.language(row.language, store.tz)
    day = dt.date.fromisoformat(body["day"])
    is_weekly = "total_minor" not in body
    lines = [*_week(say, body["week"], store.currency), ""] if is_weekly else _day(say, body, day, store.currency)
    for z_no, minor in body["closes"]:
        off = say.money(abs(minor), store.currency)
        said = say("%(amount)s short", amount=off) if minor < 0 else say("%(amount)s over", amount=off)
        lines.append(f"Z {z_no}: {said if minor else say('The drawer balances.')}")
    if body["waiting"]:
        lines += ["", say("Waiting for you"), *(f"- {say(TITLES[kind])}: {count}" for kind, count in body["waiting"])]
    if "week" in body and not is_weekly:
        lines += ["", *_week(say, body["week"], store.currency)]
    days = f"{say.day(day - dt.timedelta(days=6))} – {say.day(day)}" if is_weekly else say.day(day)
    subject = say("%(store)s, %(day)s", store=store.name, day=days)
    return Envelope(row.id, row.kind, "", row.email, subject, "\n".join([*lines, ""]))


# --- inside ---


def _day(say: Language, body: dict[str, Any], day: dt.date, currency: str) -> list[str]:
    """Return the day's sales, beside those of the week before."""
    lines = [say("Sales: %(amount)s", amount=say.money(body["total_minor"], currency))]
    if body["before_minor"] is not None:
        before, amount = say.day(day - dt.timedelta(days=7)), say.money(body["before_minor"], currency)
        lines.append(say("%(day)s: %(amount)s", day=before, amount=amount))
    return [*lines, say("Customers: %(count)s", count=say.number(body["customers"]))]


def _week(say: Language, week: dict[str, Any], currency: str) -> Iterator[str]:
    """Yield the week's figures beside those before, and its best and slowest products."""

    def written(name: str, value: int) -> str:
        return say.money(value, currency) if name.endswith("_minor") else say.number(value)

    yield say("The week")
    for name, title in FIGURES.items():
        changes = [
            f"{say.percent(change, 0, plus=True)} {say(BEFORE[key])}" for key, then in week["before"].items()
            if (change := change_bp(week["now"][name], then[name])) is not None
        ]  # fmt: skip
        yield f"- {say(title)}: {written(name, week['now'][name])}" + (f" ({', '.join(changes)})" if changes else "")
    for title, rows in ((say("Best sellers"), week["best"]), (say("Slowest in stock"), week["worst"])):
        yield from ("", title, *(f"- {name}: {say.money(minor, currency)}" for name, minor in rows)) if rows else ()
