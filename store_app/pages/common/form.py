"""What a form said, read strictly, and the answer when it cannot be done.

Rules
-----
1. Every field has bounds: a number outside them, or a text too long, is Invalid with a sentence that names them, and
   the field's name in its facts, so that the page can say it beside the field.
2. Control characters never leave this module: a pasted tab or NUL becomes a blank.
3. A refused command answers on the page it was asked from, with 4xx; what was typed is still there.
4. A script that keeps a command until it is answered (`X-Kept`) believes only an answer that names the command's id: a
   sign-in page and a captive portal's page name none.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_sqlalchemy.pagination import Pagination

from config import ids
from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.money import MAX_MINOR, exponent
from pos.store import pins
from store_app.runtime.doors import db
from store_app.web.days import day_of, instant_of

MOST_QTY = 9_999_999
WORDS = 200
_STATUS = {Invalid: 422, NotFound: 404, Refused: 409, Conflict: 409}
_Place = ParamSpec("_Place")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def text(name: str, *, most: int = WORDS, required: str = "") -> str:
    """Return a short text of the form, tidied; `required` is the sentence said when it is empty."""
    found = tidy(request.form.get(name, ""))
    if len(found) > most:
        raise Invalid("too-long", ngettext("Up to %(num)d character.", "Up to %(num)d characters.", most), field=name)
    if required and not found:
        raise Invalid("empty-field", required, field=name)
    return found


def secret(name: str) -> str:
    """Return a PIN, passphrase or code of the form just as it was typed; one that is too long for any fits none."""
    return request.form.get(name, "")[: pins.MOST + 1]


def tidy(raw: str) -> str:
    """Return a text without control characters and without blanks around it."""
    return _CONTROL.sub(" ", raw).strip()


def whole(name: str, *, least: int = 0, most: int = MOST_QTY) -> int:
    """Return a whole number of the form within its bounds (full-width digits are digits too)."""
    return number(request.form.get(name, ""), name, least=least, most=most)


def number(raw: str, name: str, *, least: int = 0, most: int = MOST_QTY) -> int:
    """Return `raw` as a whole number within its bounds, or raise Invalid naming the field."""
    raw = raw.strip()
    if not re.fullmatch(r"[+-]?\d{1,12}", raw) or not least <= int(raw) <= most:
        raise Invalid(
            "bad-number", "Enter a whole number from %(least)d to %(most)d.", field=name, least=least, most=most,
        )  # fmt: skip
    return int(raw)


def amount(name: str, currency: str) -> int:
    """Return an amount of money of the form in minor units: '20', '20.5', '20,50'."""
    return amount_of(request.form.get(name, ""), name, currency)


def amount_of(raw: str, name: str, currency: str) -> int:
    """Return `raw` as an amount of money in minor units, or raise Invalid naming the field."""
    raw = raw.strip().replace(" ", "")
    decimals = exponent(currency)
    pattern = rf"(\d{{1,9}})(?:[.,](\d{{1,{decimals}}}))?" if decimals else r"(\d{1,9})()"
    found = re.fullmatch(pattern, raw)
    if found is None:
        raise Invalid("bad-amount", "Enter an amount such as %(like)s.", like="20.50"[: 3 + decimals], field=name)
    minor: int = int(found[1]) * 10**decimals + int((found[2] or "").ljust(decimals, "0") or 0)
    if minor > MAX_MINOR:
        raise Invalid("bad-amount", "That amount is too large. Check it and enter it again.", field=name)
    return minor


def as_typed(minor: int, currency: str) -> str:
    """Write an amount as somebody would type it; '' for nothing."""
    return str(Decimal(minor).scaleb(-exponent(currency))) if minor else ""


def share(name: str) -> int:
    """Return a share of a hundred of the form in hundredths: '97', '97.5', '97,5'."""
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?", request.form.get(name, "").strip(), re.ASCII)
    if found is None or int(found[1]) > 100:
        raise Invalid("bad-share", "Enter a percentage such as 97 or 97.5.", field=name)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def date(name: str, wrong: str = "") -> dt.date | None:
    """Return a day of the form as browsers send it, None when nothing was typed; `wrong` is said where it is no day."""
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    if (found := day_of(raw)) is None:
        raise Invalid("bad-date", wrong or _("Enter a date such as 2026-12-31."), field=name)
    return found


def date_on_pack(name: str) -> dt.date | None:
    """Return until when goods are good as their pack says it, None when nothing was typed."""
    return date(name, _("Enter the date on the pack, such as 2026-12-31."))


def day(name: str, missing: str) -> dt.date:
    """Return a day of the form that has to be there; `missing` is the sentence said where it is none."""
    with suppress(Invalid):
        if found := date(name):
            return found
    raise Invalid("no-day", missing, field=name)


def instant(name: str, wrong: str) -> dt.datetime | None:
    """Return an instant of the form, None when nothing was chosen; `wrong` is said where it is none."""
    raw = request.form.get(name, "")
    if not raw:
        return None
    if (found := instant_of(raw)) is None:
        raise Invalid("bad-window", wrong, field=name)
    return found


def minute(name: str) -> int:
    """Return a time of the form as a minute of the day: '07:30' is 450."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", request.form.get(name, "").strip(), re.ASCII)
    if found is None:
        raise Invalid("bad-time", "Enter a time such as 07:30.", field=name)
    return int(found[1]) * 60 + int(found[2])


def one_of(name: str, choices: Collection[str], *, sentence: str) -> str:
    """Return the form's choice when it is one of those offered."""
    found = request.form.get(name, "")
    if found not in choices:
        raise Invalid("bad-choice", sentence, field=name)
    return found


def reason(choices: Mapping[str, Any], *, field: str = "reason", words: str = "words", needed: bool = True) -> str:
    """Return the reason as it is kept: the person's own words, else the code chosen from `choices`."""
    own, choice = text(words), request.form.get(field, "")
    if not own and choice in choices and choice != "other":
        return choice
    if needed and not own:
        raise Invalid("no-reason", "Choose a reason or write your own.", field=field)
    return own


def command_id() -> str:
    """Return the id the page gave its command; a double click carries the same one."""
    found = request.form.get("command_id", "")
    if not ids.is_id(found):
        raise Invalid("no-command-id", "Reload the page, then try again.")
    return found


@contextmanager
def once() -> Iterator[None]:
    """Let a command that was booked before, by a second click, change nothing."""
    try:
        yield
    except Conflict as fault:
        if fault.code != "already-booked":
            raise


def page_no() -> int:
    """Return the page of a long list that the address asks for, from 1."""
    raw = request.args.get("page", "1")
    return min(10_000, max(1, int(raw))) if re.fullmatch(r"\d{1,6}", raw) else 1


class Cut(Pagination):
    """A page of a list that is in memory, because its order is no database's."""

    def _query_items(self) -> list[Any]:
        return list(self._query_args["all"][self._query_offset :][: self.per_page])

    def _query_count(self) -> int:
        return len(self._query_args["all"])


def paged(found: sa.Select[Any] | Sequence[Any], rows: int) -> Pagination:
    """Return the page of a long list that the address asks for: its `items`, how many `pages`, and in `total`.

    Of a query's rows it is the first column; `ui.pages` shows the way to the other pages.
    """
    asked: dict[str, Any] = {"page": page_no(), "per_page": rows, "max_per_page": rows, "error_out": False}
    return db.paginate(found, **asked) if isinstance(found, sa.Select) else Cut(all=found, **asked)


def inside(address: str) -> str:
    """Return the address when it stays in this house, '' otherwise."""
    try:
        parts = urlsplit(address)
    except ValueError:  # an unclosed bracket, say
        return ""
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return address if inside and address.isprintable() else ""


def done(words: str, endpoint: str, tone: str = "good", /, **values: Any) -> ResponseReturnValue:
    """Say what was done, and go on to a page."""
    flash(words, tone)
    return redirect(url_for(endpoint, **values), 303)


def answers_on(
    page: Callable[..., ResponseReturnValue],
) -> Callable[[Callable[_Place, ResponseReturnValue]], Callable[_Place, ResponseReturnValue]]:
    """Answer a refusal of the decorated command on `page`, which takes the same place and `fault` (rule 3)."""

    def decorate(command: Callable[_Place, ResponseReturnValue]) -> Callable[_Place, ResponseReturnValue]:
        @wraps(command)
        def answer(*args: _Place.args, **place: _Place.kwargs) -> ResponseReturnValue:
            try:
                return command(*args, **place)
            except DomainError as fault:
                status = status_of(fault)
                if fault.code == "not-found-here":  # the page itself does not exist
                    raise
                response = make_response(page(*args, **place, fault=fault))
                response.status_code = status
                return response

        return answer

    return decorate


def names_command(command: Callable[_Place, ResponseReturnValue]) -> Callable[_Place, ResponseReturnValue]:
    """Name the command's id in the answer to a script that keeps it; where a page would follow the answer is 204."""

    @wraps(command)
    def answer(*args: _Place.args, **place: _Place.kwargs) -> ResponseReturnValue:
        made = make_response(command(*args, **place))
        found = request.form.get("command_id", "")
        if request.headers.get("X-Kept") and ids.is_id(found):
            made = make_response("", 204) if made.status_code == 303 else made
            made.headers["X-Command-Id"] = found
        return made

    return answer


def status_of(fault: DomainError) -> int:
    """Return the status a refusal is answered with; always 4xx."""
    return next((status for kind, status in _STATUS.items() if isinstance(fault, kind)), 409)
