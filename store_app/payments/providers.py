"""The terminals and wallets of this node, as its settings name them, and the network that grants points.

Rules
-----
1. Points of the network are asked for outside of any transaction, after the sale's request has come in and before it is
   booked. What was granted pays for that sale alone; where the sale is refused, it goes back at once, and what the
   network could not be told goes back by the worker (`pos.payments.asking`).
2. Without an answer nothing is redeemed: the till says so within seconds, and the sale goes on with another tender.
3. The same sale sent again uses what was granted for it.
"""

import datetime as dt
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.errors import DomainError, Invalid, Refused, Unreachable
from config.ids import NETWORK, new_id
from config.nodes.journal import Actor, Context
from config.settings import Settings
from config.words import N_
from pos.customers import loyalty
from pos.payments import requests
from pos.payments.asking import Asker
from pos.payments.payments import Payment
from pos.payments.practice_terminal import PRACTICE, SCRIPTED, PracticeTerminal
from pos.payments.providers import PAYMENTS, BesideTills, Outcome, Provider, Providers, Request
from pos.payments.requests import Wanted
from pos.payments.tenders import POINTS
from pos.sale.sale_request import SaleRequest
from store_app.runtime import plugins
from store_app.runtime.doors import Doors
from store_app.sync.wire import Shape

TIMEOUT_S = 3.0
"""A till waits eight seconds for an answer of its own node."""
CODE_TIMEOUT_S = 6.0
REFUSED = {
    "no-points-here": N_("This customer does not collect points here. Choose another payment method."),
    "too-few-points": N_("Too few points to redeem. Choose another payment method."),
    "points-not-linked": N_("Confirm the customer's phone with a code before redeeming points."),
    "not-enough-points": N_("Not enough points."),
}


class Said(Shape):
    """What the network answers."""

    state: str
    reason: str
    points: int


class NetworkPoints:
    """The network as a provider that captures points; see `pos.payments.providers.Provider`."""

    name = "network-points"
    ways = frozenset({POINTS})

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask the network to grant points."""
        del at
        sale_id, amount_minor = request.sale_id, request.amount_minor
        return self._ask("begin", request.id, customer_id=request.payer, sale_id=sale_id, amount_minor=amount_minor)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it."""
        del at
        return self._ask("query", request.id)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Let the network grant nothing any more."""
        del at
        return self._ask("cancel", request.id)

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give points back that no sale uses, all of them."""
        del amount_minor, at
        return self._ask("reverse", request.id, key=key)

    def _ask(self, step: str, id: str, **wanted: str | int) -> Outcome:
        import httpx2  # takes its time, and only who redeems needs it

        from store_app.sync.sender import client_for

        try:
            with client_for(self._settings) as client:
                answer = client.post("/api/sync/points", json={"step": step, "id": id, **wanted}, timeout=TIMEOUT_S)
                answer.raise_for_status()
            said = Said.model_validate_json(answer.content)
        except (httpx2.HTTPError, ValidationError) as fault:
            raise Unreachable("network-fault", "The network is not responding.") from fault
        return Outcome(said.state, reason=said.reason)


def asker(doors: Doors) -> Asker:
    """Return who asks for money at this node: the same for the till's door, the pages and the worker."""
    settings = doors.settings
    return Asker(doors.database, providers(settings), settings.node_id, settings.nation, doors.now)


def providers(settings: Settings) -> Providers:
    """Return the providers of a node; a demonstration practises unless its settings say otherwise."""
    chosen = settings.payment_service or (PRACTICE if settings.practice else "")
    known = _providers(chosen, settings.state_folder, Services(tuple(plugins.made(PAYMENTS, settings).values())))
    if settings.network_url:
        known.add(NetworkPoints.name, lambda: NetworkPoints(settings))
    return known


def terminals(settings: Settings) -> list[BesideTills]:
    """Return those of a node's payment services that have a terminal beside each till."""
    known = providers(settings)
    return [one for one in map(known.named, known.names()) if isinstance(one, BesideTills)]


class Services(tuple[Provider, ...]):
    """The providers of a node's payment services: the same as long as each of them is."""

    def __hash__(self) -> int:
        return hash(tuple(map(id, self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Services) and list(map(id, self)) == list(map(id, other))


@functools.lru_cache(maxsize=8)
def _providers(chosen: str, folder: Path, services: Services) -> Providers:
    known = Providers()
    for provider in services:
        known.add(provider.name, lambda provider=provider: provider)  # type: ignore[misc]
    if chosen in (PRACTICE, SCRIPTED):
        # one file, two tempers: what one of them was asked, the other can still answer
        for name in sorted((PRACTICE, SCRIPTED), key=lambda name: name != chosen):
            known.add(name, lambda name=name: PracticeTerminal(folder, scripted=name == SCRIPTED))  # type: ignore[misc]
    return known


def send_code(doors: Doors, phone: str, language: str) -> str:
    """Have the network send a code to a customer's phone; returns it in practice, else ''."""
    answer = _post(doors.settings, "/api/sync/points/code", {"phone": phone, "language": language})
    return str(answer.get("practised", ""))


def consent_to_points(doors: Doors, customer_id: str, phone: str, code: str) -> None:
    """Connect a customer by the code that went to the phone; Invalid for a wrong one."""
    wanted = {"customer_id": customer_id, "phone": phone, "code": code}
    balance = _post(doors.settings, "/api/sync/points/consent", wanted)["balance"]
    if balance is None:
        raise Invalid("points-wrong-code", "The code is wrong or expired. Check it, or send a new one.")
    with doors.write() as session:
        fact = loyalty.PointsReported.from_body(balance)
        loyalty.take_reported(Context(session, Actor.system("points", doors.settings.node_id), doors.now()), fact)


@contextmanager
def granted(doors: Doors, request: SaleRequest, *, practice: bool, actor: Actor) -> Iterator[SaleRequest]:
    """Have the points that are to pay for a sale granted (rules 1 to 3); yields the request with what was."""
    if practice or all(row[0] != POINTS for row in request.tenders):
        yield request
        return
    held: list[str] = []
    tenders = [_asked(doors, request, held, actor, *row) for row in request.tenders]
    try:
        yield replace(request, tenders=tenders)
    except DomainError:
        for payment_id in held:
            asker(doors).cancel(payment_id, why="the sale was refused", actor=actor)
        raise


def _post(settings: Settings, address: str, wanted: dict[str, str]) -> dict[str, Any]:
    """Ask the network while somebody waits; its refusal is raised as it was said."""
    import httpx2

    from store_app.sync.sender import client_for

    if not settings.network_url:
        raise Refused("takes-no-part", "This store does not take part in the network's points.")
    try:
        with client_for(settings) as client:
            answer = client.post(address, json=wanted, timeout=CODE_TIMEOUT_S)
        body: dict[str, Any] = answer.json()
        if answer.status_code in (409, 422):
            raise Refused(str(body["error"]["code"]), str(body["error"]["message"])[:300])
        answer.raise_for_status()
    except (httpx2.HTTPError, ValueError, LookupError, TypeError) as fault:
        raise Unreachable(
            "points-code-needs-line", "The network is not responding. The points are saved here. Try again later."
        ) from fault
    return body


def _asked(
    doors: Doors, request: SaleRequest, held: list[str], actor: Actor,
    tender: str, amount_minor: int, reference: str = "", payment_id: str = "",
) -> tuple[str, int, str, str]:  # fmt: skip
    row = tender, amount_minor, reference, payment_id
    if tender != POINTS or amount_minor <= 0 or payment_id or not request.customer_id:
        return row
    with doors.read() as session:
        known = [one for one in requests.of_sale(session, request.store_id, request.id) if _stands(one)]
        account = loyalty.collects(session, request.store_id, request.customer_id, doors.now())
    for one in known:
        if one.amount_minor == amount_minor:
            held += [] if one.claimed_by else [one.id]
            return tender, amount_minor, reference, one.id
        asker(doors).cancel(one.id, why="another amount is redeemed", actor=actor)
    if account.scope != NETWORK:
        return row
    wanted = Wanted(
        new_id(), request.store_id, request.id, request.till_id, POINTS, POINTS, amount_minor, NetworkPoints.name,
        code=request.customer_id,
    )  # fmt: skip
    payment = asker(doors).pay(wanted, actor=actor)
    if payment.state == "declined" and payment.reason in REFUSED:
        raise Refused(payment.reason, REFUSED[payment.reason])
    if payment.state != "captured":
        with doors.write() as session:  # the till has waited: the worker stops it
            requests.unwant(
                Context(session, actor, doors.now()), request.store_id, payment.id, why="the network did not answer"
            )
        raise Refused(
            "points-need-line",
            "The network is not responding, so its points cannot be redeemed now. Choose another payment method.",
        )
    held.append(payment.id)
    return tender, amount_minor, reference, payment.id


def _stands(payment: Payment) -> bool:
    return payment.way == POINTS and payment.state == "captured" and payment.unwanted_since is None
