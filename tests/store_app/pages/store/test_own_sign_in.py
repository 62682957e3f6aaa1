"""Signing in on a network that is no practice: passphrase, second factor, what resets them; sessions of everybody."""

import datetime as dt
import re

import pyotp
import pytest
import sqlalchemy as sa

from config.database import Base
from config.nodes.journal import Actor, Context, JournalEntry
from pos.store import staff_sessions
from pos.store.second_factor import RecoveryCode
from pos.store.staff_sessions import StaffSession
from pos.store.store import Staff
from store_app.web import staff
from tests.store_app.conftest import NOON, House, post
from tests.store_app.office import send, words

OLD, OWN, NORAS = staff.PRACTICE_PINS["operator"], "three gray herons", "wet lantern pencils"
HERE, HALF = "/console/sign-in/", dt.timedelta(seconds=30)


@pytest.fixture
def real(network: House) -> House:
    """Give a network that is no practice, whose operator has a PIN of before and no second factor."""
    network.doors.settings.practice = False
    return network


def enter(node: House, code: str = "", *, name: str = "operator", pin: str = OWN, browser=None):
    """Sign in by name, passphrase and code; returns browser and answer."""
    browser = browser or node.visitor()
    return browser, post(browser, "/signin", name=name, pin=pin, code=code)


def connect(browser) -> tuple[pyotp.TOTP, list[str]]:
    """Connect an authenticator app by what the page shows; returns the app and the recovery codes."""
    shown = re.search(r'app-key">([A-Z2-7 ]+)<', browser.get(HERE).text)
    assert shown
    app = pyotp.TOTP(shown[1].replace(" ", ""))
    at = browser.application.extensions["cornerstore"].now()
    answer = send(browser, f"{HERE}app", code=app.at(at))
    assert answer.status_code == 200, answer.text
    return app, re.findall(r"<li><code>([A-Z2-7-]{27})</code>", answer.text)


@pytest.fixture
def ready(real: House):
    """Give that network when its operator has passphrase and app: browser, app and recovery codes."""
    browser, _ = enter(real, pin=OLD)
    assert send(browser, f"{HERE}passphrase", own=OLD, pin=OWN, again=OWN).status_code == 303
    return browser, *connect(browser)


def test_who_has_a_pin_of_before_gets_nowhere_until_passphrase_and_app_are_set_up(real: House):
    browser, entered = enter(real, pin=OLD)
    assert entered.status_code == 303
    for wanted in ("new passphrase", "authenticator app"):
        for place in ("/console/", "/console/people/", "/console/money/"):
            assert browser.get(place).location == HERE, place
        assert send(browser, "/console/people/operator/unlock", own=OLD).location == HERE
        assert wanted in words(browser.get(HERE)).lower()
        if wanted == "new passphrase":
            assert send(browser, f"{HERE}app", code="000000").status_code == 409
            assert send(browser, f"{HERE}passphrase", own=OLD, pin=OLD * 4, again=OLD * 4).status_code == 422
            assert send(browser, f"{HERE}passphrase", own="9999", pin=OWN, again=OWN).status_code == 422
            assert send(browser, f"{HERE}passphrase", own=OLD, pin=OWN, again=OWN).status_code == 303
    assert send(browser, f"{HERE}app", code="000000").status_code == 422
    _, codes = connect(browser)
    assert len(set(codes)) == 10
    assert browser.get("/console/").status_code == 200
    assert codes[0] not in browser.get(HERE).text, "they are shown once"


def test_a_code_opens_once_and_no_earlier_one_after_it(real: House, ready):
    _, app, _ = ready
    assert enter(real)[1].status_code == 409, "the passphrase alone opens nothing"
    assert enter(real, app.at(real.doors.now()))[1].status_code == 409, "it was used to connect the app"
    real.clock.advance(30)
    code, before = app.at(real.doors.now()), app.at(real.doors.now() - HALF)
    assert enter(real, code, pin=NORAS)[1].status_code == 409
    assert enter(real, f"{code[:3]} {code[3:]}")[1].status_code == 303, "a wrong passphrase uses no code up"
    assert [enter(real, again)[1].status_code for again in (code, before)] == [409, 409]
    real.clock.advance(90)
    assert enter(real, app.at(real.doors.now() - 2 * HALF))[1].status_code == 409, "a minute old"
    assert enter(real, app.at(real.doors.now() + HALF))[1].status_code == 303, "clocks differ"


def test_wrong_codes_count_and_lock_as_wrong_passphrases_do(real: House, ready):
    _, app, _ = ready
    real.clock.advance(30)
    for _ in range(staff.TRIES):
        assert enter(real, "123456")[1].status_code == 409
    assert enter(real, app.at(real.doors.now()))[1].status_code == 409
    real.clock.advance(staff.LOCK_S + 1)
    assert enter(real, app.at(real.doors.now()))[1].status_code == 303


def test_a_recovery_code_opens_once_and_neither_it_nor_the_app_s_secret_is_kept_anywhere(real: House, ready):
    _, app, codes = ready
    assert enter(real, codes[3].lower())[1].status_code == 303
    assert enter(real, codes[3])[1].status_code == 409
    assert enter(real, codes[4].replace("-", ""))[1].status_code == 303
    with real.doors.read() as session:
        assert len(session.scalars(sa.select(RecoveryCode)).all()) == 8
        kept = "".join(str(row) for table in Base.metadata.sorted_tables for row in session.execute(sa.select(table)))
    assert [one for one in (app.secret, *codes, *(code.replace("-", "") for code in codes)) if one in kept] == []


def test_an_app_is_connected_again_by_passphrase_and_code_and_the_old_one_counts_until_then(real: House, ready):
    browser, app, codes = ready
    real.clock.advance(30)
    assert send(browser, f"{HERE}app", code=app.at(real.doors.now())).status_code == 409
    assert send(browser, f"{HERE}another-app", own=OWN, code="123456").status_code == 422
    assert send(browser, f"{HERE}another-app", own=OWN, code=codes[0]).status_code == 303
    assert enter(real, app.at(real.doors.now()))[1].status_code == 303
    other, fresh = connect(browser)
    assert other.secret != app.secret
    real.clock.advance(60)
    at = real.doors.now()
    assert [enter(real, code)[1].status_code for code in (app.at(at), codes[1])] == [409, 409]
    assert [enter(real, code)[1].status_code for code in (other.at(at), fresh[0])] == [303, 303]


def test_two_reset_an_operator_s_app_who_is_signed_out_told_of_it_and_connects_another(real: House, ready):
    theirs, _, codes = ready
    with real.doors.write() as session:
        staff.add(Context(session, Actor.system("command", "network"), NOON), "network", "Nora", "operator", NORAS)
    nora, _ = enter(real, name="Nora", pin=NORAS)
    connect(nora)
    agreed = {"own": NORAS, "other": "operator", "other_pin": OWN}
    assert send(nora, "/console/people/operator/reset-code", **agreed).status_code == 303
    assert theirs.get("/console/").location.startswith("/signin"), "nor may they connect the next app there"
    assert enter(real, codes[0])[0].get("/console/").location == HERE, "codes of before open nothing, nor are asked for"
    again, _ = enter(real)
    reported = words(again.get(HERE))
    assert "Authenticator app reset" in reported
    assert "Nora" in reported
    with real.doors.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb).order_by(JournalEntry.n)).all()
    assert "staff.second factor reset" in verbs
    connect(again)
    assert again.get("/console/").status_code == 200


def test_people_see_their_sessions_and_end_one_the_others_or_another_operator_s(real: House, ready):
    own, _, codes = ready
    phone = real.visitor()
    phone.environ_base |= {
        "HTTP_USER_AGENT": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
        "REMOTE_ADDR": "93.184.216.77",
    }
    enter(real, codes[0], browser=phone)
    tablet, _ = enter(real, codes[1])
    page = own.get(HERE).text
    assert ("Chrome, Android" in page, "93.184.216.0/24" in page) == (True, True)
    assert page.count("this browser") == 1
    with real.doors.read() as session:
        row = session.scalars(sa.select(StaffSession).where(StaffSession.place == "93.184.216.0/24")).one()
        assert row.session_id not in page
    with phone.session_transaction() as kept:
        assert kept["id"] == row.session_id
    assert send(own, f"{HERE}sessions/{row.handle}/end").status_code == 303
    assert send(own, f"{HERE}sessions/{row.handle}/end").status_code == 404
    assert [one.get("/console/").status_code for one in (own, phone, tablet)] == [200, 303, 200]
    assert send(own, f"{HERE}sessions/others").status_code == 303
    assert [one.get("/console/").status_code for one in (own, tablet)] == [200, 303]
    with real.doors.write() as session:
        staff.add(Context(session, Actor.system("command", "network"), NOON), "network", "Nora", "operator", NORAS)
    nora, _ = enter(real, name="Nora", pin=NORAS)
    connect(nora)
    assert send(nora, "/console/people/operator/sign-out", own="9999").status_code == 422
    assert own.get("/console/").status_code == 200
    assert send(nora, "/console/people/operator/sign-out", own=NORAS).status_code == 303
    assert own.get("/console/").status_code == 303


def test_nobody_has_more_sessions_than_the_rule_says_and_the_one_used_longest_ago_ends(house: House, network: House):
    for node, role, most in (
        (network, "operator", staff_sessions.MOST_OF_OPERATOR), (house, "cashier", staff_sessions.MOST),
    ):  # fmt: skip
        browsers = []
        for _ in range(most):
            browsers.append(node.signed_in(role))
            node.clock.advance(1)
        node.clock.advance(int(staff_sessions.SEEN_EVERY.total_seconds()))
        home = "/console/" if role == "operator" else "/more/"
        assert browsers[0].get(home).status_code == 200, "used now, so that the second one is the oldest"
        node.clock.advance(1)
        browsers.append(node.signed_in(role))
        answers = [browser.get(home).status_code for browser in browsers]
        assert answers == [200, 303, *[200] * (most - 1)]


def test_a_store_s_person_sees_and_ends_their_own_sessions_and_the_shopkeeper_everybody_s(house: House):
    cashier, elsewhere, other = house.signed_in("cashier"), house.signed_in("cashier"), house.signed_in("supervisor")
    assert cashier.get("/people/your-pin").text.count("this browser") == 1
    assert send(cashier, "/people/your-sessions/others").status_code == 303
    assert [one.get("/more/").status_code for one in (cashier, elsewhere, other)] == [200, 303, 200]
    house.signed_in("cashier")
    assert cashier.get("/people/your-pin").text.count("last seen") == 2
    assert send(cashier, "/people/your-pin", old="1111", pin="2468", again="2468").status_code == 303
    assert cashier.get("/people/your-pin").text.count("last seen") == 1, "the old PIN's are over, and not listed"
    with house.doors.read() as session:
        theirs = session.scalars(sa.select(StaffSession).where(StaffSession.staff_id == "supervisor")).one()
    assert send(cashier, f"/people/your-sessions/{theirs.handle}/end").status_code == 404, "not the cashier's to end"
    assert send(cashier, "/people/supervisor/sign-out").status_code == 403
    assert send(house.signed_in(), "/people/supervisor/sign-out").status_code == 303
    assert other.get("/more/").status_code == 303


def test_a_session_from_before_they_were_listed_is_listed_once_it_is_used(house: House):
    cashier = house.signed_in("cashier")
    with house.doors.write() as session:
        session.execute(sa.delete(StaffSession))
    house.clock.advance(int(staff_sessions.SEEN_EVERY.total_seconds()))
    assert "this browser" in cashier.get("/people/your-pin").text


@pytest.mark.parametrize("hidden", [{}, {"X-Forwarded-For": "93.184.216.9"}, {"Via": "1.1 proxy"}])
def test_from_outside_a_store_a_pin_opens_nothing_without_a_device_code_the_first_time(house: House, hidden):
    house.doors.settings.practice = False
    address = "127.0.0.1" if hidden else "93.184.216.9"

    def at(browser):
        browser.environ_base |= {"REMOTE_ADDR": address}
        browser.environ_base |= {f"HTTP_{name.upper().replace('-', '_')}": said for name, said in hidden.items()}
        return browser

    outside = at(house.visitor())
    assert "cornerstore staff device" in outside.get("/signin/cashier").text
    assert "cornerstore staff device" not in house.visitor().get("/signin/cashier").text
    assert post(outside, "/signin/cashier", pin="1111").status_code == 409
    page = send(house.signed_in(), "/people/device-code").text
    code = re.search(r'id="code">([0-9A-Z]{8})<', page)[1]
    assert post(outside, "/signin/cashier", pin="9999", code=code).status_code == 409
    assert post(outside, "/signin/cashier", pin="1111", code=f" {code.lower()} ").status_code == 303
    assert post(at(house.visitor()), "/signin/supervisor", pin="4444", code=code).status_code == 409, "it counts once"
    post(outside, "/signout")
    assert post(outside, "/signin/supervisor", pin="4444").status_code == 303, "the device is known now"
    fresh = re.search(r'id="code">([0-9A-Z]{8})<', send(house.signed_in(), "/people/device-code").text)[1]
    house.clock.advance(601)
    assert post(at(house.visitor()), "/signin/supervisor", pin="4444", code=fresh).status_code == 409


def test_a_badge_alone_opens_nothing_from_outside(house: House):
    house.doors.settings.practice = False
    stranger = house.visitor()
    stranger.environ_base |= {"REMOTE_ADDR": "93.184.216.9"}
    assert "outside the store" in post(stranger, "/badge", badge="9870").text


def test_signing_in_asks_for_no_hint_and_no_secret_question(real: House, house: House):
    asked = {
        name
        for page in (real.visitor().get("/signin"), house.visitor().get("/signin/cashier"))
        for name in re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page.text)
    }
    assert asked == {"csrf_token", "next", "name", "pin", "code"}
    proofs = {"pin_hash", "badge_hash", "badge_given_at", "totp_salt", "code_step", "failed_tries", "locked_until"}
    assert {column.name for column in Staff.__table__.columns} == {"node_id", "id", "name", "role", "active"} | proofs
