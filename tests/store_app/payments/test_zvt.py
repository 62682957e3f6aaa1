"""Card terminals by ZVT: nobody pays twice or for nothing, whatever byte the line breaks at."""

import dataclasses
import datetime as dt
import socket
import threading

import pytest
import sqlalchemy as sa

from config.errors import DomainError
from config.nodes.journal import Context, JournalEntry
from pos.payments import unclaimed
from pos.payments.payments import Payment
from pos.payments.providers import NEVER_SEEN, Request
from store_app.payments import zvt
from store_app.payments.zvt import ZvtSettings, ZvtTerminals
from store_app.payments.zvt_talk import Limits, dial
from store_app.payments.zvt_words import PRESENT
from tests.builders import STORE, open_store
from tests.simulators.driver import JOB, Driver
from tests.simulators.zvt import PASSWORD, Terminal
from tests.store_app.api.test_payments import browser, stock_milk, take
from tests.store_app.office import send, words

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
BRIEF = Limits(connect=5, answer=5, message=5, silence=5, whole=30, tick=5)


class Killed(BaseException):
    """The program is gone."""


class Mortal:
    """A connection whose program is killed after so many bytes out or in."""

    def __init__(self, wire, out, into):
        self._wire, self._left = wire, {"out": out, "into": into}

    def sendall(self, raw):
        self._wire.sendall(raw[: self._left["out"]])
        self._spend("out", len(raw))

    def recv(self, count):
        got = self._wire.recv(min(count, self._left["into"]) or 1)
        self._spend("into", len(got))
        return got

    def _spend(self, way, count):
        self._left[way] -= count
        if self._left[way] <= 0:
            raise Killed

    def settimeout(self, limit_s):
        self._wire.settimeout(limit_s)

    def close(self):
        self._wire.close()


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    made.close()


def at_once(work):
    work()


def settings(terminal, **given):
    return ZvtSettings(terminals=f"127.0.0.1:{terminal.port}", password=PASSWORD.hex(), **given)


def till(terminal, folder, *, start=at_once, limits=BRIEF, connect=dial, **given):
    return ZvtTerminals(settings(terminal, **given), folder, limits=limits, start=start, connect=connect)


def wanted(id="pay-0001", amount_minor=900, **given):
    return Request(id, f"sale-{id}", "T1", "terminal", amount_minor, "EUR", **given)


def begun(provider, terminal, request):
    terminal.owner = request.id
    return provider.begin(request, at=NOON)


def settled(provider, request):
    """Ask until the line holds."""
    for _ in range(3):
        try:
            return provider.query(request, at=NOON)
        except DomainError:
            continue
    raise AssertionError("never settled")


def test_a_card_is_taken_and_its_receipt_comes_along_without_its_number(terminal, tmp_path):
    outcome = begun(till(terminal, tmp_path), terminal, wanted())
    assert (outcome.state, outcome.reference) == ("captured", "9999 girocard 1234")
    assert outcome.paper.split("\n") == ["KUNDENBELEG", "Karte **** **** **** 1111", "Beleg 9999"]
    assert terminal.commands == ["0600", "0620", "0601"]
    assert b"41111111" not in (tmp_path / "zvt.db").read_bytes().replace(b" ", b"")


# --- cut at every byte ---

CUTS = ("cut_in", "cut_out", "killed out", "killed into")


@pytest.fixture
def broken(terminal, tmp_path):
    """Give a till whose line breaks, or that is killed, after so many bytes; and one that goes on with its records."""

    def make(way, byte):
        folder = tmp_path / f"{way}-{byte}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        if way.startswith("cut"):
            setattr(terminal, way, byte)
            return till(terminal, folder), till(terminal, folder)
        left = {"out": 10**9, "into": 10**9} | {way.split()[1]: byte}
        dying = till(terminal, folder, connect=lambda *place: Mortal(dial(*place), **left))
        return dying, till(terminal, folder)

    return make


def every_byte(broken, terminal, way, story, check):
    """Tell a story that ends after 1, 2, 3… bytes, until it is told whole; check after each."""
    for byte in range(1, 2000):
        terminal.transactions = [dataclasses.replace(terminal.transactions[0], reversed=False)]
        dying, born = broken(way, byte)
        try:
            story(dying, born)
            whole = way.startswith("killed") or (terminal.cut_in or terminal.cut_out or 0) > 0
        except Killed:
            whole = False
        terminal.cut_in = terminal.cut_out = None
        check(born)
        if whole:
            return
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("carries_on", "reverses"),
    [(True, False), *(pytest.param(*one, marks=pytest.mark.faults) for one in ((False, False), (True, True)))],
)
@pytest.mark.parametrize("way", CUTS)
def test_cut_at_every_byte_a_payment_is_found_again_and_never_asked_twice(terminal, broken, way, carries_on, reverses):
    terminal.carries_on, terminal.reverses = carries_on, reverses
    seen = set()

    def check(born):
        found = settled(born, wanted())
        terminal.commands.clear()
        assert found.state in ("captured", "declined"), found
        assert terminal.holds("pay-0001") == (900 if found.state == "captured" else 0)
        assert begun(born, terminal, wanted()) == found, "the same id is never asked again"
        assert "0601" not in terminal.commands
        seen.add(found.state)
        if found.state == "declined":
            assert begun(born, terminal, wanted("pay-0002")).state == "captured"
        assert terminal.holds("pay-0001") + terminal.holds("pay-0002") == 900

    every_byte(broken, terminal, way, lambda dying, _: begun(dying, terminal, wanted()), check)
    assert seen == {"captured", "declined"}


def gone_back(provider, terminal, key, amount_minor=900):
    """Ask for money to go back until it is known."""
    terminal.owner = "pay-0001"
    for _ in range(4):
        try:
            outcome = provider.reverse(wanted(), amount_minor, key=key, at=NOON)
        except DomainError:
            continue
        if outcome.state not in ("requested", "unknown"):
            return outcome
    raise AssertionError("never settled")


@pytest.mark.parametrize("way", [*CUTS[:3], pytest.param(CUTS[3], marks=pytest.mark.faults)])
def test_cut_at_every_byte_a_reversal_gives_back_once(terminal, broken, way):
    def story(dying, born):
        left, terminal.cut_in, terminal.cut_out = (terminal.cut_in, terminal.cut_out), None, None
        assert begun(born, terminal, wanted()).state == "captured"
        terminal.cut_in, terminal.cut_out = left
        dying.reverse(wanted(), 900, key="pay-0001:back", at=NOON)

    def check(born):
        assert gone_back(born, terminal, "pay-0001:back").state == "captured"
        assert [one.owner for one in terminal.transactions[1:]] == ["pay-0001", "reversal"]

    every_byte(broken, terminal, way, story, check)


@pytest.mark.parametrize("way", [*CUTS[:3], pytest.param(CUTS[3], marks=pytest.mark.faults)])
def test_cut_at_every_byte_a_part_is_paid_out_once_or_not_at_all(terminal, broken, way):
    def story(dying, born):
        left, terminal.cut_in, terminal.cut_out = (terminal.cut_in, terminal.cut_out), None, None
        assert begun(born, terminal, wanted()).state == "captured"
        terminal.cut_in, terminal.cut_out = left
        dying.reverse(wanted(), 400, key="back-0001", at=NOON)

    def check(born):
        state = gone_back(born, terminal, "back-0001", 400).state
        assert terminal.holds("pay-0001") == (500 if state == "captured" else 900)
        assert state in ("captured", "declined")

    every_byte(broken, terminal, way, story, check)


# --- money back ---


def test_no_more_goes_back_than_was_taken(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    assert [gone_back(provider, terminal, f"back-{n}", 400).state for n in (1, 2, 3)] == [
        "captured",
        "captured",
        "declined",
    ]
    assert gone_back(provider, terminal, "back-1", 400).state == "captured"
    assert terminal.holds("pay-0001") == 100


def test_what_can_no_longer_be_reversed_is_paid_out_for_a_return_alone(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    terminal.can_reverse = False
    assert gone_back(provider, terminal, "pay-0001:back").state == "declined"
    assert terminal.holds("pay-0001") == 900, "nobody stands there to present a card"
    assert gone_back(provider, terminal, "back-0001").state == "captured"
    assert terminal.holds("pay-0001") == 0


def test_without_a_receipt_s_number_nothing_is_paid_out_by_itself(terminal, tmp_path):
    terminal.numbers = False
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    assert gone_back(provider, terminal, "pay-0001:back").state == "declined"
    assert gone_back(provider, terminal, "back-0001").state == "captured"


def test_what_somebody_reversed_at_the_terminal_is_not_paid_out_again(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    terminal.transactions[-1].reversed = True
    assert gone_back(provider, terminal, "back-0001").state == "captured"
    assert terminal.holds("pay-0001") == 0


def test_a_reversal_the_terminal_was_off_for_is_asked_for_again(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    terminal.cut_in = 0
    assert provider.reverse(wanted(), 900, key="pay-0001:back", at=NOON).state == "unknown"
    terminal.cut_in = None
    assert provider.reverse(wanted(), 900, key="pay-0001:back", at=NOON).state == "captured"


# --- a terminal that lies or cannot tell ---


@pytest.mark.parametrize(
    ("lie", "state", "held"),
    [("amount", "unknown", 0), ("amount, gone", "unknown", 0), ("currency", "unknown", 0),
     ("repeated", "captured", 900),
     ("no status", "captured", 900), ("garbage", "captured", 900), ("old status", "captured", 900),
     ("replayed", "declined", 0)],
)  # fmt: skip
def test_what_a_lying_terminal_says_books_nothing_that_did_not_happen(terminal, tmp_path, lie, state, held):
    terminal.transactions[-1].amount_minor = 900  # the old one would fit
    terminal.lie = lie
    provider = till(terminal, tmp_path)
    begun(provider, terminal, wanted())
    found = settled(provider, wanted())
    assert (found.state, terminal.holds("pay-0001")) == (state, held)
    assert terminal.commands.count("0601") == 1
    assert begun(provider, terminal, wanted("pay-0002")).state == "captured", "the next customer pays"


def test_what_was_cut_off_is_looked_up_before_the_next_customer_pays(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    terminal.lie = "garbage"
    assert begun(provider, terminal, wanted()).state == "requested"
    assert begun(provider, terminal, wanted("pay-0002")).state == "captured"
    assert provider.query(wanted(), at=NOON).state == "captured"


@pytest.mark.parametrize("case", ["another came between", "other amount", "nothing stored", "cannot tell"])
def test_what_cannot_be_known_stays_unknown_and_says_where_to_look(terminal, tmp_path, case):
    provider = till(terminal, tmp_path)
    if case == "nothing stored":
        terminal.transactions.clear()
    terminal.can_tell = case != "cannot tell"
    terminal.lie = "garbage"
    assert begun(provider, terminal, wanted()).state == "requested"
    if case == "another came between":
        terminal._store("by hand", 900)
    if case == "other amount":
        terminal.transactions[-1].amount_minor = 901
    found = settled(provider, wanted())
    assert (found.state, found.reason) == ("unknown", zvt.LOOK)
    assert settled(provider, wanted()) == found
    assert begun(provider, terminal, wanted("pay-0002")).state == "captured"


def test_a_card_that_is_declined_says_why_and_a_terminal_that_is_off_takes_nothing(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    terminal.card = "declined"
    outcome = begun(provider, terminal, wanted())
    assert (outcome.state, outcome.reason) == ("declined", "The bank declined the card.")
    terminal.close()
    outcome = begun(provider, terminal, wanted("pay-0002"))
    assert (outcome.state, outcome.reason[:17]) == ("declined", "The card terminal")


@pytest.mark.parametrize("drip", [b"\x06", b"\x80\x00\xff\xff\xff", b"\x04\x0f\xff\xff\xff" + bytes(9)])
def test_a_message_that_never_ends_is_given_up(drip, tmp_path):
    here, there = socket.socketpair()
    there.sendall(drip)
    provider = ZvtTerminals(
        ZvtSettings(terminals="terminal"), tmp_path, start=at_once, connect=lambda *_: here,
        limits=Limits(answer=0.01, message=0.01, silence=0.01, whole=0.01, tick=0.01),
    )  # fmt: skip
    assert provider.begin(wanted(), at=NOON).state == "declined"
    assert there.recv(9)[:2] == b"\x06\x00"
    there.close()


# --- while the customer is at it ---


def test_the_cashier_sees_how_far_it_is_and_stops_it(terminal, tmp_path):
    terminal.waits = True
    threads = []

    def beside(work):
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    limits = dataclasses.replace(BRIEF, tick=0.01)
    provider, worker = (till(terminal, tmp_path, start=beside, limits=limits) for _ in range(2))
    assert begun(provider, terminal, wanted()).state == "requested"
    terminal.asked.wait(5)
    found = worker.query(wanted(), at=NOON)
    assert (found.state, found.reason) == ("requested", PRESENT)
    assert begun(worker, terminal, wanted("pay-0002")).reason == zvt.BUSY
    stopped = worker.cancel(wanted(), at=NOON)
    threads[0].join()
    assert stopped.state in ("cancelled", "requested")
    assert worker.query(wanted(), at=NOON).state == "cancelled"
    assert terminal.holds("pay-0001") == 0


def test_what_is_canceled_before_it_is_asked_is_never_asked(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    assert provider.query(wanted(), at=NOON).reason == NEVER_SEEN
    assert provider.cancel(wanted(), at=NOON).state == "cancelled"
    assert begun(provider, terminal, wanted()).state == "cancelled"
    assert terminal.commands == []


def test_each_till_has_its_terminal(terminal):
    here = ZvtSettings(terminals="T1=10.0.0.5; T2=[fd00::1]:5577; shop.lan:1")
    assert [here.terminal_of(till) for till in ("T1", "T2", "T3")] == ["10.0.0.5:20007", "[fd00::1]:5577", "shop.lan:1"]
    for wrong in (
        {"terminals": ""},
        {"terminals": "a b"},
        {"terminals": "a:99999"},
        {"terminals": "a", "password": "12"},
    ):
        with pytest.raises(ValueError, match=r"address|six digits"):
            ZvtSettings(**wrong)


@pytest.mark.parametrize(
    ("prints", "only_till", "config"), [(True, True, 0x9E), (False, False, 0x08), (False, True, 0x18)]
)
def test_the_terminal_is_told_who_prints_and_who_starts_payments(terminal, tmp_path, prints, only_till, config):
    outcome = begun(till(terminal, tmp_path, prints=prints, only_till=only_till), terminal, wanted())
    assert terminal.registered[0][:6] == PASSWORD + bytes([config]) + b"\x09\x78"
    assert bool(outcome.paper) == prints


def test_closing_the_terminal_s_day_first_looks_up_what_was_cut_off(terminal, tmp_path):
    provider = till(terminal, tmp_path)
    terminal.lie = "garbage"
    begun(provider, terminal, wanted())
    assert provider.check("T1", "EUR") == ""
    terminal.commands.clear()
    assert provider.close_day("T1", "EUR") == ""
    assert terminal.commands == ["0600", "0650"]
    assert provider.query(wanted(), at=NOON).state == "captured"


# --- in a store ---


def test_set_up_on_its_page_it_takes_a_sale_s_money_and_its_slip_is_under_the_receipt(terminal, house):
    stock_milk(house)
    client = browser(house, "shopkeeper")
    entered = {"terminals": f"127.0.0.1:{terminal.port}", "password": PASSWORD.hex(), "prints": "yes"}
    assert send(client, "/plugins/payments/zvt", **entered).status_code == 303
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    paid = take(client, 100)
    for _ in range(500):
        if paid["state"] != "requested":
            break
        paid = client.get(f"/api/payments/{paid['id']}").get_json()
    assert (paid["state"], paid["reference"]) == ("captured", "9999 girocard 1234")
    with house.doors.read() as session:
        payment = session.scalars(sa.select(Payment).where(Payment.id == paid["id"])).one()
    assert "KUNDENBELEG" in payment.paper


def test_on_the_page_of_payments_the_terminal_is_checked_and_its_day_closed_or_its_trouble_said(terminal, house):
    client = browser(house, "shopkeeper")
    assert "Run end of day" not in words(client.get("/payments/"))
    send(client, "/plugins/payments/zvt", terminals=f"127.0.0.1:{terminal.port}", password=PASSWORD.hex())
    assert "Run end of day" in words(client.get("/payments/"))
    assert send(client, "/payments/terminal/check").status_code == 303
    assert "The card terminal is ready." in words(client.get("/payments/"))
    terminal.trouble = 0xCC
    refused = send(client, "/payments/terminal/close-day")
    assert (refused.status_code, "Check its paper" in words(refused)) == (409, True)
    terminal.trouble = 0x05  # of a card
    assert "The card terminal is not ready." in words(send(client, "/payments/terminal/check"))
    with house.doors.read() as session:
        assert not session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "terminal.day_closed")).all()
    terminal.trouble = None
    assert send(client, "/payments/terminal/close-day").status_code == 303
    with house.doors.read() as session:
        (closed,) = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "terminal.day_closed"))
    assert closed.subject == "till:1"
    terminal.close()
    assert "Check its power and network." in words(send(client, "/payments/terminal/check"))


# --- many sales ---


class Watched(ZvtTerminals):
    """Terminals that know for which payment they are asked."""

    terminal: Terminal

    def begin(self, request, *, at):
        self.terminal.owner = request.id
        return super().begin(request, at=at)

    def reverse(self, request, amount_minor, *, key, at):
        self.terminal.owner = request.id
        return super().reverse(request, amount_minor, key=key, at=at)


def resolve(driver, terminal):
    """Do what a person does who looks at the terminal: decide what cannot be known, and refund what it refuses to."""
    store = driver.store
    for row in driver.payments(Payment.state == "unknown"):
        state = "captured" if terminal.holds(row.id) else "declined"
        with store.write() as session:
            unclaimed.decide(Context(session, store.wei, store.now), STORE, row.id, state)
    store.clock.advance(31 * 60)
    driver.asker.ask_due(actor=JOB)
    store.clock.advance(31 * 60)
    for row in driver.payments():
        if not unclaimed.can_refund_by_hand(row, store.now):
            continue
        with store.write() as session:
            how = {"how": unclaimed.BY_SERVICE, "number": "0815", "why": "the terminal refused"}
            unclaimed.refund_by_hand(Context(session, store.wei, store.now), STORE, row.id, **how)
        for one in terminal.transactions:
            one.reversed = one.reversed or one.owner == row.id
    driver.record_returns()


@pytest.mark.parametrize("sales", [40, pytest.param(10_000, marks=pytest.mark.faults)])
def test_of_many_sales_with_faults_none_is_unpaid_or_paid_twice(terminal, tmp_path, sales):
    store = open_store(tmp_path)
    provider = Watched(settings(terminal), tmp_path / "zvt", limits=BRIEF, start=at_once)
    provider.terminal = terminal
    terminal.carries_on, terminal.faults = True, 0.05
    driver = Driver(store, provider, terminal, seed=7)
    driver.trade(sales)
    resolve(driver, terminal)
    assert driver.faults() == []
    assert len(driver.payments(Payment.state == "captured")) > sales / 4
