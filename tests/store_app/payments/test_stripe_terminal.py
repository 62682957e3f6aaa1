"""Cards at a Stripe reader, simulated: paid once, never twice, and what nobody is sure of ends some day."""

import subprocess
import sys
from dataclasses import replace

import pytest
from pydantic import ValidationError

from config.clock import FrozenClock
from config.errors import Unreachable
from pos.payments.providers import NEVER_SEEN, Outcome, Request
from store_app.payments import stripe_account, stripe_terminal
from store_app.payments.stripe_terminal import TerminalSettings
from tests.builders import NOON, open_store
from tests.simulators.driver import Driver
from tests.simulators.stripe import KEY, READER, Service, serving

ID = "pay-00000001"
ASKED = Request(id=ID, sale_id="sale-0000001", till_id="T1", way="terminal", amount_minor=1_200, currency="EUR")


@pytest.fixture
def clock():
    return FrozenClock(NOON)


@pytest.fixture
def service(clock):
    with serving(Service(clock.now)) as made:
        yield made


@pytest.fixture
def terminal(service, tmp_path):
    return terminal_at(service, tmp_path)


def terminal_at(service, folder, **given):
    settings = {"secret_key": KEY, "address": service.address, "readers": READER} | given
    return stripe_terminal.make(TerminalSettings(**settings), folder)


def begun(terminal, asked=ASKED):
    """Begin, and return the request as it is asked about from then on."""
    return replace(asked, reference=terminal.begin(asked, at=NOON).reference)


def going_wrong(service, fault):
    service.faults, service.only = 1.0, (fault,)


def test_a_card_is_charged_once_however_often_it_is_asked(service, terminal):
    assert [terminal.begin(ASKED, at=NOON).state for _ in range(2)] == ["requested"] * 2
    known = begun(terminal)
    service.present("paid")
    assert terminal.query(known, at=NOON) == Outcome("captured", known.reference)
    assert terminal.cancel(known, at=NOON).state == "captured"
    assert (service.holds(ID), service.captures(ID), len(service.intents)) == (1_200, 1, 1)


def test_an_intent_whose_answer_was_lost_is_found_again_and_takes_no_money(service, terminal, clock):
    going_wrong(service, "unanswered")
    with pytest.raises(Unreachable):
        terminal.begin(ASKED, at=NOON)
    service.faults = 0
    assert terminal.query(ASKED, at=NOON).state == "requested"
    assert len(service.intents) == 1
    clock.advance(60)
    assert terminal.query(ASKED, at=clock.now()).state == "declined"
    assert [one["status"] for one in service.intents.values()] == ["canceled"]


def test_a_paid_intent_is_found_by_its_number_and_by_our_id(service, terminal, clock):
    known = begun(terminal)
    service.present("paid")
    clock.advance(2 * 86_400)  # the service has forgotten the idempotency key
    for asked in (known, ASKED):
        assert terminal.query(asked, at=clock.now()).state == "captured"
    assert (service.captures(ID), len(service.intents)) == (1, 1)


@pytest.mark.parametrize(
    ("code", "words"),
    [("terminal_reader_offline", stripe_terminal.OFFLINE), ("terminal_reader_busy", stripe_terminal.BUSY)],
)
def test_a_reader_that_is_offline_or_busy_has_taken_nothing_and_never_will(service, terminal, code, words):
    service.unreachable[READER] = code
    assert terminal.begin(ASKED, at=NOON) == Outcome("declined", "pi_1", words)
    assert service.intents["pi_1"]["status"] == "canceled"


def test_a_reader_that_does_not_answer_in_time_is_no_answer_until_the_intent_is_canceled(service, terminal, clock):
    service.unreachable[READER] = "terminal_reader_timeout"
    answer = terminal.begin(ASKED, at=NOON)
    assert (answer.state, answer.reference) == ("unknown", "pi_1")
    known = replace(ASKED, reference="pi_1")
    assert terminal.query(known, at=NOON).state == "requested"
    clock.advance(stripe_terminal.SEEN_S)
    assert terminal.query(known, at=clock.now()).state == "declined"
    assert service.intents["pi_1"]["status"] == "canceled"


@pytest.mark.parametrize("how", ["declined", "left"])
def test_a_card_that_was_not_taken_is_declined_for_good(service, terminal, how):
    known = begun(terminal)
    service.present(how)
    assert terminal.query(known, at=NOON).state == "declined"
    service.present("paid")
    assert (service.holds(ID), terminal.query(known, at=NOON).state) == (0, "cancelled")


def test_canceling_frees_the_reader_and_ends_the_intent(service, terminal):
    known = begun(terminal)
    assert terminal.cancel(known, at=NOON).state == "cancelled"
    assert service.readers[READER]["action"] is None
    assert begun(terminal, replace(ASKED, id="pay-00000002")).reference == "pi_2"


def test_a_reader_that_is_gone_does_not_stop_a_cancellation(service, terminal):
    known = begun(terminal)
    service.unreachable[READER] = "terminal_reader_offline"
    assert terminal.cancel(known, at=NOON).state == "cancelled"
    service.present("paid")
    assert service.holds(ID) == 0


def test_money_goes_back_once_per_key_also_after_the_service_forgot_the_key(service, terminal, clock):
    known = begun(terminal)
    service.present("paid")
    for days in (0, 2, 4):
        clock.advance(days * 86_400)
        assert terminal.reverse(known, 500, key="back-1", at=clock.now()).state == "captured"
    assert service.holds(ID) == 700
    assert terminal.reverse(known, 701, key="back-2", at=clock.now()).state == "declined"
    assert terminal.reverse(known, 700, key="back-3", at=clock.now()).state == "captured"
    assert service.holds(ID) == 0


def test_a_refund_whose_answer_was_lost_is_found_again(service, terminal):
    known = begun(terminal)
    service.present("paid")
    going_wrong(service, "unanswered")
    with pytest.raises(Unreachable):
        terminal.reverse(known, 500, key="back-1", at=NOON)
    service.faults = 0
    assert terminal.reverse(known, 500, key="back-1", at=NOON).state == "captured"
    assert service.holds(ID) == 700


def test_a_key_used_for_something_else_is_no_answer(service, terminal):
    begun(terminal)
    with pytest.raises(Unreachable):
        terminal.begin(replace(ASKED, amount_minor=1_300), at=NOON)
    assert len(service.intents) == 1


@pytest.mark.parametrize("lie", ["amount", "currency", "livemode", "metadata", "amount_received"])
def test_an_answer_about_something_else_is_no_answer(service, terminal, lie):
    known = begun(terminal)
    service.present("paid")
    told = service.intents[known.reference]
    told[lie] = {"amount": 1_201, "currency": "usd", "livemode": True, "metadata": {}, "amount_received": 1}[lie]
    with pytest.raises(Unreachable):
        terminal.query(known, at=NOON)


def test_a_payment_that_was_never_asked_for_here_ends_and_takes_nothing(service, terminal):
    assert terminal.cancel(ASKED, at=NOON).state == "cancelled"
    assert terminal.query(replace(ASKED, id="pay-00000009", currency="KWD", amount_minor=1_001), at=NOON) == Outcome(
        "declined", reason=NEVER_SEEN
    )


@pytest.mark.parametrize(
    ("minor", "currency", "wanted"),
    [(1_250, "EUR", 1_250), (500, "JPY", 500), (5_120, "KWD", 5_120), (5_124, "KWD", None), (500, "ISK", 500),
     (550, "ISK", None), (1_250, "HUF", 1_250), (1_000, "PYG", 10), (1_001, "PYG", None)],
)  # fmt: skip
def test_amounts_are_in_the_units_the_service_has_for_a_currency(minor, currency, wanted):
    assert stripe_account.units(minor, currency) == wanted


def test_an_amount_that_the_service_does_not_take_is_declined(service, terminal):
    for asked in (replace(ASKED, currency="KWD", amount_minor=5_124), replace(ASKED, amount_minor=49)):
        assert terminal.begin(asked, at=NOON) == Outcome("declined", reason=stripe_account.ODD_AMOUNT)
    assert service.intents == {}


def test_each_till_has_its_reader_and_one_without_is_declined(service, tmp_path):
    service.readers["tmr_two"] = {"id": "tmr_two"}
    terminal = terminal_at(service, tmp_path, readers=f"T1 = {READER}; T2=tmr_two")
    begun(terminal, replace(ASKED, till_id="T2"))
    assert service.readers["tmr_two"]["action"]["status"] == "in_progress"
    assert terminal.begin(replace(ASKED, till_id="T3"), at=NOON).reason == stripe_terminal.NO_READER


def test_a_wrong_key_is_no_answer(service, tmp_path):
    with pytest.raises(Unreachable):
        terminal_at(service, tmp_path, secret_key="sk_test_other").begin(ASKED, at=NOON)


@pytest.mark.parametrize(
    "wrong",
    [{"secret_key": "pk_live_1"}, {"address": "http://api.stripe.com"}, {"address": "https://x/y"}, {"readers": "tmr"},
     {"readers": "T1=tmr_1; rdr_2"}],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused_and_the_key_is_not_shown(wrong):
    right = TerminalSettings(secret_key=KEY, readers=READER)
    assert KEY not in repr(right)
    with pytest.raises(ValidationError):
        TerminalSettings(**{"secret_key": KEY, "readers": READER} | wrong)


def test_the_sdk_is_not_loaded_before_somebody_pays():
    names = "store_app.payments.stripe_terminal, store_app.payments.stripe_checkout"
    code = f"import sys, {names}; sys.exit('stripe' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def traded(folder, sales, seed, faults=0.05):
    store = open_store(folder)
    with serving(Service(lambda: store.now, seed=seed, faults=faults)) as service:
        driver = Driver(store, terminal_at(service, folder), service, seed=seed)
        driver.trade(sales)
        return driver.faults()


@pytest.mark.parametrize(("seed", "faults"), [(1, 0.05), (2, 0.3)])
def test_sales_through_a_service_that_misbehaves_are_paid_once_and_end(tmp_path, seed, faults):
    assert traded(tmp_path, 40, seed, faults) == []


@pytest.mark.faults
def test_ten_thousand_sales_through_a_service_that_misbehaves(tmp_path):
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert traded(folder, 1_000, seed) == []
