"""A stranger at the online store and the sign-in page: what it may try, and cost, before only it is stopped."""

import contextlib
import json
import re
import threading

import argon2
import httpx2
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from config.errors import Refused
from config.ids import new_id
from config.phones import e164
from pos.customers import customers
from pos.messages import OutgoingMessage
from pos.store.store import PinTries, Staff, store_of
from store_app.commands import serve
from store_app.mail import sending
from store_app.mail.carriers import LogCarrier
from store_app.web import staff, strangers
from supply.online.checkout import phone_codes
from supply.online.checkout.phone_codes import PER_DAY, Asker, PhoneCode
from supply.online.customer_sessions import CustomerSession
from tests.store_app.house import post
from tests.store_app.town import ONLINE
from tests.supply.online_store import AT, STORE, later

PHONE = "+1 555 0100"
ELSEWHERE = "198.51.100.7"


def messages_sent(market) -> int:
    with market.town.network.read() as session:
        return session.scalar(sa.select(sa.func.count()).where(OutgoingMessage.kind == "code"))


def at_address(customer, address):
    customer.browser.environ_base["REMOTE_ADDR"] = address
    return customer


def code_shown(customer) -> str:
    return re.search(r"code is (\d+)", customer.look(f"{ONLINE}/mine").text)[1]


# --- codes: tries ---


def test_wrong_codes_lock_the_browser_that_typed_them_and_nobody_else(market):
    honest, stranger = market.customer(), market.customer()
    honest.send(f"{ONLINE}/mine", phone=PHONE)
    tried = []
    for n in range(3):
        stranger.send(f"{ONLINE}/mine", phone=f"+1 555 019{n}")
        tried += [stranger.send(f"{ONLINE}/mine/code", code="00000000").status_code for _ in range(phone_codes.TRIES)]
        market.house.clock.advance(61)
    assert tried == [422] * phone_codes.WRONG_AT_BROWSER + [409] * phone_codes.TRIES
    assert honest.send(f"{ONLINE}/mine/code", code=code_shown(honest)).status_code == 303


def test_a_code_proves_nothing_at_another_browser(market):
    honest, stranger = market.customer(), market.customer()
    honest.send(f"{ONLINE}/mine", phone=PHONE)
    code = code_shown(honest)
    with stranger.browser.session_transaction() as session:
        session["asked_mine"] = e164(PHONE, "UTC")
    assert stranger.send(f"{ONLINE}/mine/code", code=code).status_code == 422
    assert honest.send(f"{ONLINE}/mine/code", code=code).status_code == 303


def test_a_code_is_good_for_ten_minutes_and_once(market):
    early, late = market.customer(), market.customer()
    late.send(f"{ONLINE}/mine", phone="+1 555 0177")
    late_code = code_shown(late)
    early.send(f"{ONLINE}/mine", phone=PHONE)
    code = code_shown(early)
    market.house.clock.advance(9 * 60)
    assert early.send(f"{ONLINE}/mine/code", code=code).status_code == 303
    with early.browser.session_transaction() as session:
        session["asked_mine"] = e164(PHONE, "UTC")
    assert early.send(f"{ONLINE}/mine/code", code=code).status_code == 422
    market.house.clock.advance(2 * 60)
    assert late.send(f"{ONLINE}/mine/code", code=late_code).status_code == 422


def test_guesses_from_everywhere_make_codes_longer_and_keep_the_right_one_valid(market):
    honest, late = market.customer(), market.customer()
    honest.send(f"{ONLINE}/mine", phone=PHONE)
    with market.town.network.write() as session:
        for n in range(phone_codes.WRONG_IN_STORE // phone_codes.TRIES):
            asker = Asker(f"browser-{n}", f"10.{n}.0.0/24")
            phone_codes.send(session, STORE, f"+1555{n:07}", "mine", asker=asker, language="en", at=AT)
            for _ in range(phone_codes.TRIES):
                phone_codes.prove(session, STORE, f"+1555{n:07}", "0", "mine", asker=asker, secret="s", at=AT)
    late.send(f"{ONLINE}/mine", phone="+1 555 0177")
    assert len(code_shown(late)) == phone_codes.LONG
    assert len(code_shown(honest)) == phone_codes.DIGITS["mine"]
    assert honest.send(f"{ONLINE}/mine/code", code=code_shown(honest)).status_code == 303
    assert late.send(f"{ONLINE}/mine/code", code=code_shown(late)).status_code == 303


# --- codes: messages ---


def test_one_browser_cannot_use_up_a_store_s_messages_and_neither_can_its_range_without_cookies(market):
    stranger = market.customer()
    for n in range(PER_DAY["browser"] + 3):
        stranger.send(f"{ONLINE}/mine", phone=f"+1 555 02{n:02}")
    assert messages_sent(market) == PER_DAY["browser"]
    with market.town.network.write() as session:
        store_wide = 0
        for n in range(PER_DAY["store"]):
            asker = Asker(f"thrown-away-{n}", "203.0.113.0/24")
            try:
                phone_codes.send(session, STORE, f"+1556{n:07}", "mine", asker=asker, language="en", at=AT)
                store_wide += 1
            except Refused as refusal:
                assert refusal.code == "too-many-codes"  # noqa: PT017
    assert store_wide == PER_DAY["range"] < PER_DAY["store"] / 3
    honest = at_address(market.customer(), ELSEWHERE)
    assert honest.send(f"{ONLINE}/mine", phone=PHONE).status_code == 303
    assert code_shown(honest)


def test_a_store_whose_messages_are_used_up_still_sends_to_numbers_it_knows_and_says_the_same_to_all(market):
    market.customer().order(("bread", 1))
    market.house.clock.advance(120)
    with market.town.network.write() as session:
        for n in range(PER_DAY["store"]):
            asker = Asker(f"b{n}", f"10.{n}.0.0/24")
            phone_codes.send(session, STORE, f"+1556{n:07}", "mine", asker=asker, language="en", at=later(minutes=1))
    before, answers = messages_sent(market), []
    for phone in (PHONE, "+1 555 0188"):
        customer = market.customer()
        assert customer.send(f"{ONLINE}/mine", phone=phone).status_code == 303
        page = customer.look(f"{ONLINE}/mine").text
        assert "We have sent many codes today, so only numbers" in page
        answers.append(re.sub(r"\+1\d+|code is \d+", "", page).count("code"))
    assert messages_sent(market) == before + 1


def test_a_stranger_cannot_use_up_the_codes_of_somebody_s_number_from_one_place(market):
    with market.town.network.write() as session:
        number = e164(PHONE, store_of(session, STORE).tz)
        for n in range(PER_DAY["number in a range"]):
            asker = Asker(f"b{n}", "203.0.113.0/24")
            phone_codes.send(session, STORE, number, "mine", asker=asker, language="en", at=AT)
        one_more = Asker("b", "203.0.113.0/24")
        with pytest.raises(Refused, match="Too many codes"):
            phone_codes.send(session, STORE, number, "mine", asker=one_more, language="en", at=AT)
    honest = at_address(market.customer(), ELSEWHERE)
    assert honest.send(f"{ONLINE}/mine", phone=PHONE).status_code == 303
    assert honest.send(f"{ONLINE}/mine/code", code=code_shown(honest)).status_code == 303


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.0/24"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.0/24"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.0/24"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.0/24"),
        ("10.0.0.2", "1.1.1.1, 198.51.100.7, 10.0.0.3", "198.51.100.0/24"),
        ("::ffff:203.0.113.9", "", "203.0.113.0/24"),
        ("2001:db8:1:2ff::5", "", "2001:db8:1:200::/56"),
        ("127.0.0.1", "nonsense", "127.0.0.0/24"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_request_comes_from(network, remote, forwarded, expected):
    network.doors.settings.trusted_proxies = "127.0.0.1, 10.0.0.0/8"
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with network.app.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": remote}):
        assert strangers.address_range() == expected


# --- one number, however it is written ---


SPELLINGS = ("+1 555 0199", "0015550199", "555 0199", "(555) 0199", "+1 (555) 01-99")


def test_every_spelling_of_a_number_is_one_number():
    zone = "America/New_York"
    assert {e164(one, zone) for one in SPELLINGS} == {"+15550199"}
    assert len({customers.key_of("network", zone, one) for one in SPELLINGS}) == 1
    assert e164("0151 2345678", "Europe/Berlin") == e164("0049 151 2345678", "Asia/Shanghai") == "+491512345678"
    assert e164("0011 1 555 0199", "Australia/Sydney") == "+15550199", "a country's own way to dial abroad"


def test_a_hoarder_has_three_unpaid_orders_however_the_number_is_written(market):
    with market.town.network.write() as session:
        store_of(session, STORE).tz = "America/New_York"
    market.house.doors.settings.trusted_proxies = ""
    placed = []
    for spelling in SPELLINGS:
        placed.append((market.customer().order(("bread", 1), phone=spelling).location or "").rpartition("/")[0])
        market.house.clock.advance(61)
    assert sum(there.endswith("/order") for there in placed) == 3


# --- sessions ---


def signed_in(market, phone=PHONE):
    customer = market.customer()
    customer.send(f"{ONLINE}/mine", phone=phone)
    assert customer.send(f"{ONLINE}/mine/code", code=code_shown(customer)).status_code == 303
    return customer


def copied(market, customer):
    thief, cookie = market.customer(), next(iter(customer.browser._cookies.values()))
    thief.browser.set_cookie(cookie.key, cookie.value)
    return thief


def test_a_copied_cookie_is_dead_once_its_customer_signs_out(market):
    command = new_id()
    market.customer().order(("bread", 1))
    market.house.clock.advance(120)
    owner = signed_in(market)
    owner.order(("bread", 1), command_id=command)
    thief = copied(market, owner)
    assert "S07-0001" in thief.look(f"{ONLINE}/mine").text
    with thief.browser.session_transaction() as session:
        assert "+15550100" not in json.dumps(dict(session)), "the cookie carries no number"
        csrf = session["csrf_token"]
    assert owner.send(f"{ONLINE}/mine/leave").status_code == 303
    thief = copied(market, thief)
    assert "S07-0001" not in thief.look(f"{ONLINE}/mine").text
    with thief.browser.session_transaction() as session:
        assert session.get("csrf_token") != csrf
        assert not session.get("placed"), "nor does it lead to the pages of its orders"
    assert "S07-0001" not in owner.look(f"{ONLINE}/mine").text
    with market.town.network.read() as session:
        assert session.scalars(sa.select(CustomerSession).where(CustomerSession.purpose == "mine")).all() == []


def test_signing_out_everywhere_ends_every_browser_of_the_number_and_no_other(market):
    market.customer().order(("bread", 1))
    market.house.clock.advance(120)
    at_home = signed_in(market)
    market.house.clock.advance(120)
    on_the_road, other = signed_in(market), signed_in(market, "+1 555 0199")
    assert "S07-0001" in at_home.look(f"{ONLINE}/mine").text
    on_the_road.send(f"{ONLINE}/mine/leave", everywhere="yes")
    assert "S07-0001" not in at_home.look(f"{ONLINE}/mine").text
    assert "No orders yet" in other.look(f"{ONLINE}/mine").text, "another number stays signed in"


# --- codes at rest ---


def test_no_code_is_kept_anywhere_and_the_one_sent_is_the_one_that_fits(market):
    customer = market.customer()
    customer.send(f"{ONLINE}/mine", phone=PHONE)
    shown = code_shown(customer)
    with market.town.network.read() as session:
        row = session.scalars(sa.select(PhoneCode)).one()
        tables = [
            table for table in PhoneCode.metadata.sorted_tables if "phone" in table.name or "message" in table.name
        ]
        held = [str(value) for table in tables for kept in session.execute(table.select()) for value in kept]
    assert held
    assert not [value for value in held if shown in value.replace(row.id, "")]
    market.house.doors.settings.secret_key = str(market.house.app.config["SECRET_KEY"])  # the worker's is the same
    messages = []

    class Caught(LogCarrier):
        def send(self, message, *, at):
            messages.append(message.text)

    assert sending.send_due(market.house.doors, [Caught()]) == (1, 0)
    assert shown in messages[0]
    assert customer.send(f"{ONLINE}/mine/code", code=shown).status_code == 303


# --- the sign-in page ---


def test_a_known_an_unknown_and_a_locked_name_cost_a_stranger_one_hash_each(network, monkeypatch):
    network.doors.settings.practice = False
    checked, verify = [], argon2.PasswordHasher.verify
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda *given: checked.append(1) or verify(*given))
    for _ in range(staff.TRIES):
        post(network.visitor(), "/signin", name="operator", pin="999999")
    reported = {}
    for name in ("operator", "nobody"):
        checked.clear()
        answer = post(network.visitor(), "/signin", name=name, pin="999999")
        reported[name] = len(checked), answer.status_code, re.sub(r'"[^"]*"', "", answer.text)
    assert reported["operator"] == reported["nobody"]
    assert reported["operator"][0] == 1


def test_guesses_from_one_range_of_addresses_keep_nobody_else_out(house):
    stranger, honest = house.visitor(), house.visitor()
    honest.environ_base["REMOTE_ADDR"] = ELSEWHERE
    for n in range(staff.STRANGERS_MOST):
        post(stranger, f"/signin/nobody{n}", pin="1")
    assert post(stranger, "/signin/supervisor", pin="4444").status_code == 409
    assert post(honest, "/signin/supervisor", pin="4444").status_code == 303
    house.clock.advance(int(staff.STRANGERS_WITHIN.total_seconds()) + 1)
    other = house.visitor()
    other.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    post(other, "/signin/nobody", pin="1")
    with house.doors.read() as session:
        kept = session.scalars(sa.select(PinTries.asked_by).where(PinTries.staff_id == "*")).all()
    assert sorted(kept) == ["strangers", "strangers 192.0.2.0/24"], "ranges of an hour ago are not kept"


def test_behind_a_proxy_on_the_same_computer_nobody_is_the_first_person_of_a_store(house):
    with house.doors.write() as session:
        session.execute(sa.update(Staff).values(active=False))
    server = serve.web_server(house.app, "127.0.0.1", 0, 2)

    def run() -> None:
        with contextlib.suppress(OSError):  # closed under its feet at the end
            server.run()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.effective_port}/signin"
        assert 'action="/first"' in httpx2.get(address).text
        assert 'action="/first"' not in httpx2.get(address, headers={"X-Forwarded-For": ELSEWHERE}).text
    finally:
        server.close()
        thread.join()


def test_a_refused_permission_is_logged_as_every_other_event_is(house):
    client = house.signed_in("cashier")
    with capture_logs() as lines:
        assert client.get("/people/").status_code == 403
    assert [(line["event"], line["staff"], line["permission"]) for line in lines] == [("refused", "cashier", "staff")]
