"""Online orders paid at Stripe's page: none goes out unpaid, none is paid twice, what came too late goes back."""

import random
from dataclasses import replace

import pytest
from pydantic import ValidationError

from config.errors import Invalid, Unreachable
from config.nodes.journal import Context
from pos.payments.providers import NEVER_SEEN, ONLINE, Outcome, Request
from store_app.payments import escrow as escrow_payments
from store_app.payments import stripe_checkout
from store_app.payments.providers import providers
from store_app.payments.stripe_checkout import NAME, CheckoutSettings
from supply.money import escrow, refunds
from supply.money.held_payments import Escrow
from supply.online.checkout import placing
from supply.online.orders import PickupOrder
from supply.online.pickup import escrow_release
from tests.simulators.stripe import KEY, NOTICE_SECRET, Service, serving
from tests.store_app.town import Market, open_market
from tests.supply.online_store import AT, STORE, later

ONE = "order-00001"
ASKED = Request(
    id=ONE, sale_id=ONE, till_id="ONLINE", way=ONLINE, amount_minor=387, currency="USD", merchant="Harbour",
    until=later(minutes=15), return_to="https://shops.example/paid",
)  # fmt: skip
HEADER = stripe_checkout.SIGNATURE


@pytest.fixture
def market(tmp_path):
    with open_market(tmp_path, public_url="https://shops.example") as market:
        yield market


@pytest.fixture
def service(market: Market):
    with serving(Service(market.house.clock.now)) as made:
        taken_by(market.house, made)
        yield made


def taken_by(house, service, **given):
    """Let the service take this node's payments; returns its adapter."""
    settings = {"secret_key": KEY, "address": service.address, "notice_secret": NOTICE_SECRET} | given
    adapter = stripe_checkout.make(CheckoutSettings(**settings), house.doors.settings.state_folder)
    providers(house.doors.settings).add(NAME, lambda: adapter)
    return adapter


@pytest.fixture
def house(market: Market, service):
    return market.house


@pytest.fixture
def adapter(house):
    return providers(house.doors.settings).named(NAME)


def place(house, id=ONE, lines=(("milk", 3),)):
    with house.doors.write() as session:
        asked = placing.OrderRequest(
            id=id, name="Li", phone=f"555 {id[-4:]}", lines=list(lines), pay_with=NAME, token=f"{id}-of-a-customer"
        )
        placing.place(session, STORE, asked, at=house.clock.now())


def row_of(house, id=ONE):
    with house.doors.read() as session:
        return session.get_one(Escrow, id)


def states(house, id=ONE):
    with house.doors.read() as session:
        return session.get_one(Escrow, id).state, session.get_one(PickupOrder, (STORE, id)).state


def ask_at(house, at):
    house.clock.set(at)
    escrow_payments.ask_due(house.doors)
    return states(house)


def begun(adapter, asked=ASKED):
    return replace(asked, reference=adapter.begin(asked, at=AT).reference)


def noticed(house, service, kind, about, **more):
    body, signature = service.notice(kind, about, **more)
    return house.visitor().post(f"/api/notices/{NAME}", data=body, headers={HEADER: signature})


# --- one payment ---


def test_a_session_is_made_once_and_its_page_is_known_only_with_its_number(service, adapter):
    first = adapter.begin(ASKED, at=AT)
    assert adapter.begin(ASKED, at=later(minutes=9)) == first
    assert (first.state, first.shown_code) == ("requested", f"{service.address}/pay/{first.reference}")
    assert len(service.sessions) == 1
    made = service.sessions[first.reference]
    assert (made["client_reference_id"], made["amount_total"], made["success_url"]) == (ONE, 387, ASKED.return_to)
    assert made["expires_at"] == int((later(minutes=15) + stripe_checkout.LIFE).timestamp())


def test_a_session_whose_answer_was_lost_is_made_again_as_the_same(service, adapter):
    service.faults, service.only = 1.0, ("unanswered",)
    with pytest.raises(Unreachable):
        adapter.begin(ASKED, at=AT)
    service.faults = 0
    assert adapter.query(ASKED, at=AT) == Outcome("declined", reason=NEVER_SEEN)
    assert adapter.begin(ASKED, at=AT).state == "requested"
    assert len(service.sessions) == 1


def test_what_was_paid_is_asked_and_known_by_our_id_where_the_number_is_lost(service, adapter, house):
    known = begun(adapter)
    assert service.pay(known.reference)
    assert adapter.query(known, at=AT) == Outcome("captured", known.reference)
    house.clock.set(later(minutes=2))
    found = adapter.query(ASKED, at=AT)
    assert (found.state, found.reference[:3]) == ("captured", "pi_")
    assert adapter.reverse(replace(ASKED, reference=found.reference), 87, key="back-1", at=AT).state == "captured"
    assert service.holds(ONE) == 300


def test_an_expired_session_is_over_and_one_paid_before_is_captured(service, adapter):
    known = begun(adapter)
    assert [adapter.cancel(known, at=AT).state for _ in range(2)] == ["cancelled"] * 2
    assert not service.pay(known.reference)
    other = begun(adapter, replace(ASKED, id="order-00002"))
    service.pay(other.reference)
    assert adapter.cancel(other, at=AT).state == "captured"


def test_a_session_nobody_ends_is_over_by_itself(service, adapter, house):
    known = begun(adapter)
    house.clock.set(later(minutes=46))
    assert adapter.query(known, at=AT).state == "cancelled"


@pytest.mark.parametrize("lie", ["client_reference_id", "amount_total", "currency", "livemode", "url"])
def test_an_answer_about_something_else_is_no_answer(service, adapter, lie):
    known = begun(adapter)
    told = {"client_reference_id": "order-00002", "amount_total": 1, "currency": "eur", "livemode": True}
    service.sessions[known.reference][lie] = told.get(lie, "javascript:alert(1)")
    with pytest.raises(Unreachable):
        adapter.query(known, at=AT)


def test_settings_without_a_signing_secret_are_refused():
    with pytest.raises(ValidationError):
        CheckoutSettings(secret_key=KEY, notice_secret="sk_test_1")


# --- an order ---


def test_an_order_goes_to_its_store_once_it_is_paid(house, service):
    place(house)
    assert ask_at(house, AT) == ("awaited", "placed")
    row = row_of(house)
    assert service.pay(row.reference)
    assert ask_at(house, later(minutes=1)) == ("held", "placed")
    assert service.holds(ONE) == row.amount_minor


def test_an_order_not_paid_in_time_lapses_and_can_be_paid_no_more(house, service):
    place(house)
    ask_at(house, AT)
    assert ask_at(house, later(minutes=16)) == ("lapsed", "cancelled")
    assert not service.pay(row_of(house).reference)


def test_what_is_paid_after_its_time_goes_back(house, service):
    place(house)
    ask_at(house, AT)
    service.faults, service.only = 1.0, ("lost",)
    assert ask_at(house, later(minutes=16)) == ("lapsed", "cancelled")
    assert service.pay(row_of(house).reference), "the service has not heard that it is over"
    service.faults = 0
    assert ask_at(house, later(hours=1)) == ("settled", "cancelled")
    ask_at(house, later(hours=2))
    assert (service.captures(ONE), service.holds(ONE)) == (1, 0)


def test_what_is_paid_after_the_customer_canceled_goes_back(house, service):
    place(house)
    ask_at(house, AT)
    service.pay(row_of(house).reference)
    with house.doors.write() as session:
        placing.ask_to_cancel(session, STORE, f"{ONE}-of-a-customer", at=AT)
    ask_at(house, later(minutes=5))
    ask_at(house, later(minutes=6))
    assert (service.captures(ONE), service.holds(ONE)) == (1, 0)


def test_a_part_goes_back_and_the_rest_later_once_each(house, service):
    place(house)
    ask_at(house, AT)
    service.pay(row_of(house).reference)
    ask_at(house, later(minutes=1))
    for part in (87, None):
        with house.doors.write() as session:
            escrow.refund(Context(session, escrow_payments.ACTOR, later(minutes=2)), ONE, part, why="short")
        service.faults, service.only = 1.0, ("unanswered",)
        ask_at(house, later(minutes=3))
        service.faults = 0
        ask_at(house, later(days=2))
    assert service.holds(ONE) == 0
    assert [one["amount"] for one in service.refunds.values()] == [87, 300]


# --- notices ---


def test_a_notice_makes_the_node_ask_and_the_same_one_again_does_nothing(house, service):
    place(house)
    ask_at(house, AT)
    reference = row_of(house).reference
    assert noticed(house, service, "checkout.session.completed", service.sessions[reference]).status_code == 200
    assert states(house) == ("awaited", "placed"), "it says so, and the service does not"
    service.pay(reference)
    body, signature = service.notice("checkout.session.completed", service.sessions[reference])
    asked = []
    for _ in range(2):
        house.visitor().post(f"/api/notices/{NAME}", data=body, headers={HEADER: signature})
        asked.append(len(service.asked))
    assert (states(house), asked[0]) == (("held", "placed"), asked[1])


@pytest.mark.parametrize(
    "wrong", [{"secret": "whsec_other"}, {"age_s": 301}, {"livemode": True}, {"account": "acct_2"}]
)
def test_a_notice_that_is_forged_old_or_for_another_account_is_refused(house, service, wrong):
    place(house)
    ask_at(house, AT)
    service.pay(row_of(house).reference)
    before = len(service.asked)
    answer = noticed(house, service, "checkout.session.completed", service.sessions[row_of(house).reference], **wrong)
    assert answer.status_code in (400, 409, 422)
    assert answer.json["error"]["message"].endswith("Nothing was changed.")
    assert (states(house), len(service.asked)) == (("awaited", "placed"), before)


def test_a_notice_without_a_signature_or_changed_on_its_way_is_refused(adapter, service):
    body, signature = service.notice("checkout.session.completed", {"client_reference_id": ONE})
    for content, headers in ((body, {}), (body.replace(b"1", b"2"), {HEADER: signature}), (b"", {HEADER: signature})):
        with pytest.raises(Invalid):
            adapter.noticed(content, headers)
    assert adapter.noticed(body, {HEADER: signature}) == ONE


def test_a_notice_of_nothing_of_ours_books_nothing(house, service):
    assert noticed(house, service, "checkout.session.completed", {"client_reference_id": "theirs"}).status_code == 200
    assert noticed(house, service, "invoice.paid", {}).status_code == 200
    assert house.visitor().post("/api/notices/practice", data=b"").status_code == 404


# --- what the bank takes back ---


def test_a_disputed_payment_waits_for_the_operator_and_is_not_passed_on(house, service):
    place(house)
    ask_at(house, AT)
    service.pay(row_of(house).reference)
    ask_at(house, later(minutes=1))
    (intent,) = service.intents
    for _ in range(2):
        assert noticed(house, service, "charge.dispute.created", service.dispute(intent)).status_code == 200
    row = row_of(house)
    assert (row.state, row.disputed_why) == ("disputed", escrow.CHARGEBACK)
    assert "顾客向银行提出了拒付" in house.signed_in("operator").get("/console/customers/?lang=zh").text
    with house.doors.write() as session:
        escrow_release.decide(Context(session, escrow_payments.ACTOR, later(days=1)), ONE, row.amount_minor, why="lost")
    ask_at(house, later(days=1))
    with house.doors.read() as session:
        (back,) = refunds.of_escrow(session, ONE)
    assert (back.state, back.answer) == ("waiting", "declined"), "the operator ends it by hand"
    assert noticed(house, service, "charge.dispute.closed", service.dispute(intent)).status_code == 200
    assert row_of(house).state == "settled"


def test_a_dispute_that_the_service_does_not_confirm_changes_nothing(house, service):
    place(house)
    ask_at(house, AT)
    service.pay(row_of(house).reference)
    ask_at(house, later(minutes=1))
    (intent,) = service.intents
    noticed(house, service, "charge.dispute.created", {"id": "dp_1", "payment_intent": intent})
    assert states(house) == ("held", "placed")


# --- the customer ---


def test_the_customer_is_sent_to_the_page_and_back_and_the_way_back_says_nothing(market, service):
    customer = market.customer()
    page = customer.look(customer.order(("milk", 3), pay="online").location).text
    ((number, session),) = service.sessions.items()
    assert f'href="{service.address}/pay/{number}"' in page
    way_back = session["success_url"].removeprefix("https://shops.example")
    assert customer.look(way_back).status_code == 303
    assert "Pay by card" in customer.look(way_back.removesuffix("/paid")).text
    service.pay(number)
    assert customer.look(customer.look(way_back).location).text.count("Pay by card") == 0
    with market.house.doors.read() as look:
        assert look.get_one(Escrow, session["client_reference_id"]).state == "held"


def test_without_a_public_address_the_page_is_not_offered(market, service):
    bare = market.house.doors.settings.model_copy(update={"public_url": ""})
    known = providers(market.house.doors.settings)
    assert escrow_payments.provider_for(market.house.doors).name == NAME
    assert escrow_payments.provider_for(replace(market.house.doors, settings=bare)).name == "practice"
    assert known.for_way("store_code").name == "practice"


def test_a_page_that_is_not_ready_says_so_and_comes_with_the_next_look(market, service):
    customer = market.customer()
    service.faults, service.only = 1.0, ("lost",)
    page = customer.order(("milk", 3), pay="online").location
    assert "Preparing your payment." in customer.look(page).text
    service.faults = 0
    assert "Pay by card" in customer.look(customer.look(f"{page}/paid").location).text


# --- many ---


@pytest.mark.parametrize(("seed", "faults"), [(1, 0.05), (2, 0.3)])
def test_orders_through_a_service_that_misbehaves_are_paid_once_or_go_back(house, service, seed, faults):
    trade(house, service, 30, seed, faults)


@pytest.mark.faults
def test_ten_thousand_orders_through_a_service_that_misbehaves(tmp_path):
    for seed in range(250):
        folder = tmp_path / str(seed)
        folder.mkdir()
        with (
            open_market(folder, public_url="https://shops.example") as market,
            serving(Service(market.house.clock.now)) as service,
        ):
            taken_by(market.house, service)
            trade(market.house, service, 40, seed, 0.05)


def trade(house, service, orders, seed, faults):
    """Place orders, have customers pay, leave and cancel; then let the service behave, and see that all is over."""
    chance, open_ids, ids = random.Random(seed), [], [f"order-{n:05}" for n in range(orders)]
    service.faults, service._random = faults, random.Random(seed)
    for placed in ids:
        place(house, placed, [("apple", 100)])
        open_ids.append(placed)
        house.clock.advance(chance.choice((1, 30, 240)))
        escrow_payments.ask_due(house.doors)
        for one in chance.sample(open_ids, min(4, len(open_ids))):
            story = chance.choice(("pay", "pay", "cancel", "back", "nothing"))
            shown = row_of(house, one)
            if story == "pay" and shown.shown_code:
                service.pay(shown.reference)
            if story == "back":
                escrow_payments.ask(house.doors, one)
            if story == "cancel" and shown.state in ("awaited", "held"):
                with house.doors.write() as session:
                    placing.ask_to_cancel(session, STORE, f"{one}-of-a-customer", at=house.clock.now())
                open_ids.remove(one)
    service.faults = 0
    for _ in range(60):
        house.clock.advance(3_600)
        escrow_payments.ask_due(house.doors)
    with house.doors.read() as session:
        assert escrow.findings(session) == []
        for one in ids:
            row, order = session.get_one(Escrow, one), session.get_one(PickupOrder, (STORE, one))
            assert service.captures(one) <= 1
            assert (row.state in ("held", "settled", "lapsed"), row.ask_again_at) == (True, None), one
            assert service.holds(one) == (row.amount_minor if row.state == "held" else 0), one
            assert (row.state == "held") == bool(order.paid_minor), "what was not paid never went to its store"
