"""Stripe's API on this computer, as far as our adapters use it: intents, readers, refunds, sessions, notices.

Rules
-----
1. It answers over HTTP at `address`. A POST needs an Idempotency-Key: the same key with the same parameters gets the
   first answer again, with others the documented error; keys are forgotten after a day.
2. A search finds nothing younger than a minute. Amounts below the least, in steps the currency does not have, and
   sessions of less than half an hour are refused.
3. With `faults` a share of the requests goes wrong, by the seed: lost before or after it was carried out, carried out
   late or twice, answered by 500 or 429, by no JSON, or about another payment, amount, currency or mode.
4. `present`, `pay` and `dispute` are the customer.
"""

import contextlib
import datetime as dt
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

KEY, NOTICE_SECRET = "sk_test_simulated", "whsec_simulated"
READER = "tmr_beside_the_till"
DAY, MINUTE = 86_400, 60
LEAST = {"usd": 50, "eur": 50, "kwd": 160, "jpy": 50}
FAULTS = ("lost", "unanswered", "late", "twice", "broken", "busy", "garbage", "lie")
LIES: dict[str, Any] = {
    "amount": 1, "amount_total": 1, "currency": "xxx", "livemode": True, "amount_received": 7,
    "client_reference_id": "another-0001", "metadata": {"payment": "another-0001", "key": "another"},
}  # fmt: skip
Row = dict[str, Any]


class No(Exception):
    """An answer of another status."""

    def __init__(self, status: int, code: str, words: str, kind: str = "invalid_request_error") -> None:
        super().__init__(words)
        self.status, self.body = status, {"error": {"type": kind, "code": code, "message": words}}


@dataclass
class Service:
    """The service's books, and what is going wrong."""

    now: Callable[[], dt.datetime]
    seed: int = 1
    faults: float = 0.0
    only: tuple[str, ...] = FAULTS
    intents: dict[str, Row] = field(default_factory=dict)
    sessions: dict[str, Row] = field(default_factory=dict)
    refunds: dict[str, Row] = field(default_factory=dict)
    readers: dict[str, Row] = field(default_factory=lambda: {READER: {"id": READER, "object": "terminal.reader"}})
    unreachable: dict[str, str] = field(default_factory=dict)
    """Reader -> the code by which it refuses what it is told."""
    keys: dict[str, tuple[float, object, int, Row]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def __post_init__(self) -> None:
        self._random, self._numbers, self._lock = random.Random(self.seed), itertools.count(1), threading.RLock()
        self._late: list[tuple[str, str, Row, str]] = []

    # --- what the customer does ---

    def present(self, how: str = "paid", reader: str = READER) -> None:
        """Present a card at a reader: paid | declined | left."""
        action = self.readers[reader].get("action")
        if action is None or action["status"] != "in_progress":
            return
        intent = self.intents[action["process_payment_intent"]["payment_intent"]]
        if how == "paid" and intent["status"] == "requires_payment_method":
            self._capture(intent)
            action["status"] = "succeeded"
            return
        action |= {"status": "failed", "failure_code": how, "failure_message": f"The card was {how}."}
        if how == "declined":
            intent["last_payment_error"] = {"code": "card_declined", "message": "Your card was declined."}

    def act(self, chance: random.Random) -> None:
        """Let whoever stands at the reader do something, or nothing."""
        how = chance.choices(("paid", "declined", "left", ""), (8, 1, 1, 2))[0]
        if how:
            self.present(how)

    def pay(self, session_id: str) -> bool:
        """Pay at a session's page; tells whether that was possible."""
        session = self.sessions[session_id]
        self._expire()
        if session["status"] != "open":
            return False
        intent = self._intent(session["amount_total"], session["currency"], session["intent_metadata"])
        self._capture(intent)
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"], "url": None}
        return True

    def dispute(self, intent_id: str) -> Row:
        """Dispute a payment at the bank; returns the dispute."""
        self.intents[intent_id]["charge"]["disputed"] = True
        return {"id": "dp_1", "object": "dispute", "payment_intent": intent_id, "reason": "fraudulent"}

    # --- what tests look at ---

    def holds(self, payment_id: str) -> int:
        """Return how much of a payment is captured and not given back, in the service's units."""
        mine = [one for one in self.intents.values() if one["metadata"].get("payment") == payment_id]
        back = sum(one["amount"] for one in self.refunds.values() if one["payment_intent"] in [i["id"] for i in mine])
        return sum(one["amount_received"] for one in mine) - back

    def captures(self, payment_id: str) -> int:
        """Return how often money was taken for a payment."""
        mine = [one for one in self.intents.values() if one["metadata"].get("payment") == payment_id]
        return sum(one["status"] == "succeeded" for one in mine)

    def notice(
        self, kind: str, about: Row, *, secret: str = NOTICE_SECRET, age_s: int = 0, **more: Any
    ) -> tuple[bytes, str]:
        """Return the body and the signature of a notice."""
        event = {
            "id": f"evt_{next(self._numbers)}", "object": "event", "type": kind, "livemode": False,
            "data": {"object": about},
        } | more  # fmt: skip
        body = json.dumps(event)
        signed_at = int(time.time()) - age_s
        return body.encode(), stripe.WebhookSignature.generate_signature_header(body, secret, signed_at)

    # --- the API ---

    def answer(self, method: str, path: str, params: Row, headers: Any) -> tuple[int, bytes] | None:
        """Answer a request, or None for a line that breaks."""
        with self._lock:
            self.asked.append(f"{method} {path}")
            late, self._late = self._late, []
            for one in late:
                self._once(*one)
            fault = self._random.choice(self.only) if self._random.random() < self.faults else ""
            if headers["Authorization"] != f"Bearer {KEY}":
                return 401, json.dumps(No(401, "", "Invalid API Key provided").body).encode()
            key = headers["Idempotency-Key"] or ""
            if fault == "lost":
                return None
            if fault == "late":
                self._late.append((method, path, params, key))
                return None
            if fault in ("broken", "busy"):
                again = No(500 if fault == "broken" else 429, "", "Come again.", "api_error")
                return again.status, json.dumps(again.body).encode()
            status, body = self._once(method, path, params, key)
            if fault == "twice":
                status, body = self._once(method, path, params, key)
            if fault == "unanswered":
                return None
            if fault == "garbage":
                return 200, b"<html>"
            return status, json.dumps(self._lying(body) if fault == "lie" else body).encode()

    def _lying(self, body: Row) -> Row:
        """Return an answer about something else."""
        told = deepcopy(body)
        lies = [name for name in LIES if name in told]
        if lies:
            name = self._random.choice(lies)
            told[name] = LIES[name] + told[name] if isinstance(LIES[name], int) and name != "livemode" else LIES[name]
        return told

    def _once(self, method: str, path: str, params: Row, key: str) -> tuple[int, Row]:
        if method == "GET":
            return self._carried_out(method, path, params)
        if not key:
            return 400, No(400, "", "This request needs an Idempotency-Key.").body
        now = self.now().timestamp()
        self.keys = {name: one for name, one in self.keys.items() if now - one[0] < DAY}
        if key not in self.keys:
            self.keys[key] = (now, (path, params), *deepcopy(self._carried_out(method, path, params)))
        _, asked, status, body = self.keys[key]
        if asked != (path, params):
            words = "Keys for idempotent requests can only be used with the same parameters they were first used with."
            return 400, No(400, "", words, "idempotency_error").body
        return status, deepcopy(body)

    def _carried_out(self, method: str, path: str, params: Row) -> tuple[int, Row]:  # noqa: C901 - a table of addresses
        parts = path.strip("/").split("/")[1:]
        self._expire()
        try:
            match (method, *parts):
                case ("POST", "payment_intents"):
                    assert params["allowed_payment_method_types"] == ["card_present"]
                    return 200, self._shown(self._intent(int(params["amount"]), params["currency"], params["metadata"]))
                case ("GET", "payment_intents", "search"):
                    return 200, {"object": "search_result", "data": self._searched(params["query"])}
                case ("GET", "payment_intents", id):
                    return 200, self._shown(self._row(self.intents, id))
                case ("POST", "payment_intents", id, "cancel"):
                    return 200, self._shown(self._canceled(self._row(self.intents, id)))
                case ("POST", "terminal", "readers", id, "process_payment_intent"):
                    return 200, self._processing(self._row(self.readers, id), params["payment_intent"])
                case ("POST", "terminal", "readers", id, "cancel_action"):
                    return 200, self._stopped(self._row(self.readers, id))
                case ("GET", "terminal", "readers", id):
                    return 200, self._row(self.readers, id)
                case ("GET", "refunds"):
                    made = [one for one in self.refunds.values() if one["payment_intent"] == params["payment_intent"]]
                    return 200, {"object": "list", "data": made}
                case ("POST", "refunds"):
                    return 200, self._refunded(params)
                case ("POST", "checkout", "sessions"):
                    return 200, self._session(params)
                case ("GET", "checkout", "sessions", id):
                    return 200, self._with_intent(self._row(self.sessions, id))
                case ("POST", "checkout", "sessions", id, "expire"):
                    return 200, self._expired(self._row(self.sessions, id))
                case _:
                    return 404, No(404, "", f"Unrecognized request URL ({method}: {path}).").body
        except No as no:
            return no.status, no.body

    def _row(self, rows: dict[str, Row], id: str) -> Row:
        if id not in rows:
            raise No(404, "resource_missing", f"No such object: '{id}'")
        return rows[id]

    def _intent(self, amount: int, currency: str, metadata: Row) -> Row:
        self._check(amount, currency)
        number = f"pi_{next(self._numbers)}"
        self.intents[number] = {
            "id": number, "object": "payment_intent", "status": "requires_payment_method", "amount": amount,
            "amount_received": 0, "currency": currency, "livemode": False, "created": int(self.now().timestamp()),
            "metadata": dict(metadata), "charge": {"object": "charge", "disputed": False}, "last_payment_error": None,
        }  # fmt: skip
        return self.intents[number]

    def _check(self, amount: int, currency: str) -> None:
        if amount < LEAST.get(currency, 1):
            raise No(400, "amount_too_small", "The amount is below the least of this currency.")
        if currency in ("bhd", "jod", "kwd", "omr", "tnd") and amount % 10:
            raise No(400, "invalid_charge_amount", "The last digit must be 0.")

    def _shown(self, intent: Row) -> Row:
        shown = {name: value for name, value in intent.items() if name != "charge"}
        return shown | {"latest_charge": intent["charge"] if intent["status"] == "succeeded" else None}

    def _searched(self, query: str) -> list[Row]:
        wanted, before = query.split("'")[3], self.now().timestamp() - MINUTE
        found = (one for one in self.intents.values() if one["metadata"].get("payment") == wanted)
        return [self._shown(one) for one in found if one["created"] <= before]

    def _capture(self, intent: Row) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}

    def _canceled(self, intent: Row) -> Row:
        if intent["status"] in ("succeeded", "canceled"):
            raise No(400, "payment_intent_unexpected_state", f"This intent is {intent['status']}.")
        intent["status"] = "canceled"
        return intent

    def _processing(self, reader: Row, intent_id: str) -> Row:
        intent, action = self._row(self.intents, intent_id), reader.get("action")
        if reader["id"] in self.unreachable:
            raise No(400, self.unreachable[reader["id"]], "The reader cannot be reached.")
        if action is not None and action["status"] == "in_progress":
            raise No(400, "terminal_reader_busy", "The reader is currently busy processing another request.")
        if intent["status"] != "requires_payment_method":
            raise No(400, "intent_invalid_state", f"This intent is {intent['status']}.")
        reader["action"] = {
            "type": "process_payment_intent", "status": "in_progress",
            "process_payment_intent": {"payment_intent": intent_id}, "failure_message": None,
        }  # fmt: skip
        return reader

    def _stopped(self, reader: Row) -> Row:
        if reader["id"] in self.unreachable:
            raise No(400, self.unreachable[reader["id"]], "The reader cannot be reached.")
        reader["action"] = None
        return reader

    def _refunded(self, params: Row) -> Row:
        intent, amount = self._row(self.intents, params["payment_intent"]), int(params["amount"])
        back = sum(one["amount"] for one in self.refunds.values() if one["payment_intent"] == intent["id"])
        if intent["charge"]["disputed"]:
            raise No(400, "charge_disputed", "This charge has been charged back.")
        if amount > intent["amount_received"] - back:
            raise No(400, "charge_already_refunded", "The amount is greater than what is left of the charge.")
        number = f"re_{next(self._numbers)}"
        self.refunds[number] = {
            "id": number, "object": "refund", "status": "succeeded", "amount": amount, "payment_intent": intent["id"],
            "metadata": dict(params["metadata"]),
        }  # fmt: skip
        return self.refunds[number]

    def _session(self, params: Row) -> Row:
        (line,) = params["line_items"]
        amount, currency = int(line["price_data"]["unit_amount"]), line["price_data"]["currency"]
        self._check(amount, currency)
        expires_at, now = int(params["expires_at"]), self.now().timestamp()
        if not 30 * MINUTE <= expires_at - now <= DAY:
            raise No(400, "", "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.")
        number = f"cs_test_{next(self._numbers)}"
        self.sessions[number] = {
            "id": number, "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "currency": currency, "client_reference_id": params["client_reference_id"], "amount_total": amount,
            "livemode": False, "payment_intent": None, "expires_at": expires_at, "url": f"{self.address}/pay/{number}",
            "success_url": params["success_url"], "cancel_url": params["cancel_url"],
            "name": line["price_data"]["product_data"]["name"],
            "intent_metadata": params["payment_intent_data"]["metadata"],
        }  # fmt: skip
        return self.sessions[number]

    def _with_intent(self, session: Row) -> Row:
        intent = self.intents.get(session["payment_intent"] or "")
        return session | {"payment_intent": self._shown(intent) if intent else None}

    def _expired(self, session: Row) -> Row:
        if session["status"] != "open":
            raise No(400, "", f"Only open Checkout Sessions can be expired; this one is {session['status']}.")
        session |= {"status": "expired", "url": None}
        return session

    def _expire(self) -> None:
        for session in self.sessions.values():
            if session["status"] == "open" and session["expires_at"] <= self.now().timestamp():
                session |= {"status": "expired", "url": None}

    def page(self, session_id: str) -> str:
        """Return the page a customer pays at."""
        one = self.sessions[session_id]
        return (
            f"<!doctype html><title>Pay</title><h1>{one['name']}</h1><p>{one['amount_total']} {one['currency']}</p>"
            f"<form method=post><button>Pay</button></form><a href='{one['cancel_url']}'>Back</a>"
        )


@contextlib.contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Serve on a port of this computer."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version, wbufsize = "HTTP/1.1", 1 << 16

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.startswith("/pay/"):
                self._send(200, service.page(parts.path.removeprefix("/pay/")).encode(), "text/html; charset=utf-8")
            else:
                self._api("GET", parts.path, parts.query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path.startswith("/pay/"):
                session_id = self.path.removeprefix("/pay/")
                service.pay(session_id)
                self._send(303, b"", "text/html", service.sessions[session_id]["success_url"])
            else:
                self._api("POST", self.path, body)

        def _api(self, method: str, path: str, content: str) -> None:
            answer = service.answer(method, path, nested(content), self.headers)
            if answer is None:
                self.close_connection = True
                return
            self._send(answer[0], answer[1], "application/json")

        def _send(self, status: int, body: bytes, kind: str, leads_to: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if leads_to:
                self.send_header("Location", leads_to)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    service.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nested(content: str) -> Row:
    """Read form fields with brackets: metadata[payment]=x, line_items[0][quantity]=1."""
    found: Row = {}
    for name, value in parse_qsl(content, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        place, steps = found, [first, *rest]
        for step in steps[:-1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    made = {name: _listed(one) for name, one in value.items()}
    return list(made.values()) if all(name.isdigit() for name in made) else made
