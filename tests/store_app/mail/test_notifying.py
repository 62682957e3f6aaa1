"""Messages to customers: carried by e-mail and by a service, tried again, given up, and never sent twice unasked."""

import datetime as dt
import hashlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.errors import Invalid, Refused, Unreachable
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from store_app.mail import carriers, sending
from store_app.mail.carriers import LogCarrier, SmtpCarrier, WebhookCarrier
from store_app.mail.envelopes import Envelope
from store_app.payments.order_tokens import token_for
from supply.online.checkout.placing import Preferences
from supply.online.messages import customer_messages
from tests.store_app.conftest import NOON, House

ENVELOPE = Envelope("m-1", "ready", "+1 555 0100", "li@example.com", "Store: Ready", "Order S01-1 is ready. 你好")


@pytest.fixture
def service():
    """A message service that keeps what it was posted; `answer` is what it says."""
    got, state = [], {"answer": 200}

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["X-Cornerstore-Signature"]))
            self.send_response(state["answer"])
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Takes)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/send", got, state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mail_server():
    """A mail server of a few lines: it takes one mail and keeps its text."""
    kept, door = [], socket.create_server(("127.0.0.1", 0))

    def serve():
        line, _ = door.accept()
        with line, line.makefile("rb") as said:
            line.sendall(b"220 here\r\n")
            data = False
            for raw in said:
                if data:
                    kept.append(raw)
                    if raw == b".\r\n":
                        data = False
                        line.sendall(b"250 taken\r\n")
                elif raw.upper().startswith(b"DATA"):
                    data = True
                    line.sendall(b"354 go on\r\n")
                elif raw.upper().startswith(b"QUIT"):
                    line.sendall(b"221 bye\r\n")
                    return
                else:
                    line.sendall(b"250 fine\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"smtp://127.0.0.1:{door.getsockname()[1]}?from=store@example.com", kept, thread
    door.close()


def test_a_service_gets_the_message_signed(service):
    address, got, _ = service
    WebhookCarrier(address, "secret").send(ENVELOPE, at=NOON)
    ((body, signature),) = got
    assert json.loads(body)["text"] == ENVELOPE.text
    assert hmac.compare_digest(signature, hmac.new(b"secret", body, hashlib.sha256).hexdigest())


def test_a_service_that_refuses_is_a_fault(service):
    address, _, state = service
    state["answer"] = 503
    with pytest.raises(Unreachable, match="503"):
        WebhookCarrier(address, "").send(ENVELOPE, at=NOON)


def test_an_e_mail_arrives_with_its_words_and_its_id(mail_server):
    address, kept, thread = mail_server
    carrier = SmtpCarrier(address)
    assert carrier.reaches(ENVELOPE)
    carrier.send(ENVELOPE, at=NOON)
    thread.join(60)
    text = b"".join(kept).decode()
    assert "X-Cornerstore-Id: m-1" in text
    assert "To: li@example.com" in text


def test_a_password_is_never_sent_in_the_clear(mail_server):
    address, kept, _ = mail_server
    with pytest.raises(Unreachable, match="no encryption"):
        SmtpCarrier(address.replace("smtp://", "smtp://me:secret@")).send(ENVELOPE, at=NOON)
    assert kept == []


@pytest.mark.parametrize("odd", ["pigeon", "smtp://host", "ftp://x"])
def test_a_way_that_carries_nothing_is_a_sentence(odd, tmp_path):
    with pytest.raises(Invalid, match="notify"):
        carriers.carriers(Settings(role="network", state_folder=tmp_path, practice=True, notify=odd))


def written(network: House, *, kind="ready", facts=None):
    with network.doors.write() as session:
        to = Recipient(phone="+1 555 0100", language="zh")
        customer_messages.send(
            session,
            "S01",
            kind,
            to,
            id="m-1",
            facts=facts or {"store": "Store", "order_no": "S01-1", "order_id": "o-1", "slug": "s01", "until": "12:00"},
            at=NOON,
        )


def test_what_fails_is_tried_again_later_and_given_up_in_the_end(network: House):
    written(network)

    class Dead(LogCarrier):
        tries = 0

        def send(self, message, *, at):
            self.tries += 1
            raise OSError("no line")

    dead = Dead()
    for _ in range(200):
        sending.send_due(network.doors, [dead])
        network.clock.advance(1200)
    assert dead.tries == messages.TRIES
    with network.doors.read() as session:
        row = session.query(OutgoingMessage).one()
        assert (row.state, row.fault) == ("failed", "no line")


def test_what_was_sent_is_sent_once_with_the_orders_address(build):
    network = build(role="network", node_id="network", public_url="https://shop.example", secret_key="k" * 40)
    written(network)

    class Keeps(LogCarrier):
        def __init__(self):
            self.got = []

        def send(self, message, *, at):
            self.got.append(message)

    keeps = Keeps()
    assert sending.send_due(network.doors, [keeps]) == (1, 0)
    assert sending.send_due(network.doors, [keeps]) == (0, 0)
    (message,) = keeps.got
    assert message.text.endswith(f"https://shop.example/shop/s01/order/{token_for('k' * 40, 'S01', 'o-1')}")
    assert "已备好" in message.text


def test_every_message_has_its_words_in_both_languages():
    for kind in customer_messages.KINDS:
        for language in ("en", "zh"):
            assert customer_messages.text_of(kind, {"store": "Store"}, language)
            assert customer_messages.subject_of(kind, {"store": "Store"}, language)


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (Refused("address-refused", "no such person"), "ready", 1),
        (Unreachable("mail-refused", "later"), "ready", messages.TRIES),
        (Unreachable("mail-refused", "later"), "code", 5),
    ],
)
def test_how_often_a_message_is_tried_depends_on_the_fault_and_on_how_long_it_is_worth_sending(
    network: House, fault, kind, tries
):
    written(network, kind=kind)
    with network.doors.write() as session:
        (row,) = messages.due(session, NOON)
        code = fault.code if isinstance(fault, Refused) else "unreachable"
        while row.state == "waiting":
            messages.failed(Context(session, Actor.system("test", "network"), row.try_at), row, code, fault.message)
        assert row.tries == tries


def test_people_are_forgotten_a_month_after(network: House):
    written(network)
    sending.send_due(network.doors, [LogCarrier()])
    with network.doors.write() as session:
        session.query(OutgoingMessage).one().email, session.query(OutgoingMessage).one().phone = "li@example.com", ""
    with network.doors.write() as session:
        assert messages.forget(session, at=NOON + dt.timedelta(days=29)) == 0
        assert messages.forget(session, at=NOON + dt.timedelta(days=31)) == 1
        row = session.query(OutgoingMessage).one()
        assert (row.email, row.body) == ("", {})


def test_a_message_that_cannot_be_written_keeps_no_other_waiting(house: House):
    class Odd(LogCarrier):
        def send(self, message, *, at):
            if message.id == "odd":
                raise AttributeError("an address no library reads")

    with house.doors.write() as session:
        for n, one in enumerate(("odd", "good")):
            recipient = Recipient(phone="1")
            customer_messages.send(
                session, "S01", "ready", recipient, id=one, facts={}, at=house.doors.now() - dt.timedelta(seconds=9 - n)
            )
        at = house.doors.now() - dt.timedelta(seconds=10)
        messages.write(session, "S01", "order", Recipient(email="a@b.example"), id="blank", body={}, at=at)
    assert sending.send_due(house.doors, [Odd()]) == (1, 2)
    with house.doors.read() as session:
        tries = {row.id: row.tries for row in session.query(OutgoingMessage)}
    assert tries == {"blank": 1, "odd": 1, "good": 0}


@pytest.mark.parametrize("odd", ["]x@,%.%<", "a,b@x.yy", "(;<@).ü.[!", "%:].=@\\.;;", "a@b", "x" * 250 + "@b.cn"])
def test_an_address_no_mail_reaches_is_refused_where_it_is_typed(odd):
    assert Preferences(email="li.wei+store@mail.example.cn").email
    with pytest.raises(Invalid, match="email address"):
        Preferences(email=odd)


def test_a_reason_is_said_in_the_language_of_who_is_told():
    facts = {"store": "Store", "order_no": "S01-1", "why": "refuse-not-there"}
    assert customer_messages.text_of("refused", facts, "en").endswith("S01-1. Out of stock")
    assert "Store kann Bestellung S01-1" in (said := customer_messages.text_of("refused", facts, "de"))
    assert "Out of stock" not in said
    own = customer_messages.text_of("group", {"store": "Store", "name": "Milk", "why": "group-ordered: 3 × Milk"}, "es")
    assert own == "Store: Milk: Pedido: 3 × Milk."
