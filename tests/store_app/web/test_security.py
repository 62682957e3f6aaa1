"""Who may do what: deny by default, tokens, names, locks."""

import base64
import datetime as dt
import functools
import hashlib
import re
import threading
import time
import traceback

import pytest
import sqlalchemy as sa
import structlog
from argon2 import PasswordHasher
from flask import request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from config.errors import Refused
from config.nodes.journal import JournalEntry, JournalHead
from pos.store import pins, staff_sessions
from pos.store.permissions import AT_FIRST
from pos.store.staff_sessions import LONGEST_SESSION
from pos.store.store import Staff
from store_app.node import doctor
from store_app.runtime.doors import open_doors
from store_app.web import sessions, signed_in, staff
from store_app.web.security import rule_of
from store_app.web.signed_in import OPERATOR_FOR
from tests.readable import readable
from tests.store_app.conftest import STORE, post, token

KNOWN = frozenset().union(*AT_FIRST.values()) | {"public", "device", "agent", "partner", "watcher"}


@pytest.mark.parametrize("which", ["house", "network"])
def test_every_route_carries_a_known_rule(which, request):
    app = request.getfixturevalue(which).app
    faults = {rule.endpoint: rule_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert {endpoint: rule for endpoint, rule in faults.items() if rule not in KNOWN} == {}


@pytest.fixture
def new_house(build):
    """Give a node that nobody has asked anything yet: it takes further routes."""
    return build(is_new=True)


def test_a_route_without_a_rule_is_refused(new_house):
    new_house.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert new_house.signed_in().get("/forgotten").status_code == 403


def test_a_stranger_is_sent_to_sign_in_and_a_program_gets_401(new_house):
    def view():
        return "money"

    view.rule = "sell"
    new_house.app.add_url_rule("/money", "money", view)
    new_house.app.add_url_rule("/api/money", "api_money", view)
    answer = new_house.visitor().get("/money?week=9")
    assert (answer.status_code, answer.location) == (303, "/signin?next=/money?week%3D9")
    assert new_house.visitor().get("/api/money").status_code == 401
    assert new_house.signed_in("cashier").get("/money").text == "money"


def test_a_cashier_may_not_what_is_the_shopkeepers(new_house):
    def view():
        return "staff"

    view.rule = "staff"
    new_house.app.add_url_rule("/api/staff", "api_staff", view)
    answer = new_house.signed_in("cashier").get("/api/staff")
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "not-allowed"
    assert new_house.signed_in("shopkeeper").get("/api/staff").status_code == 200


def test_a_post_without_token_is_refused(house):
    answer = house.signed_in().post("/signout")
    assert answer.status_code == 400


def test_a_token_that_was_good_once_is_good_for_that_session_alone(house):
    client, other = house.signed_in("cashier"), house.signed_in("cashier")
    good, basket = {"X-CSRF-Token": token(client)}, {"lines": [{"sku": "MILK", "qty": 1}]}
    token(other)
    for _ in range(2):
        assert client.post("/api/quote", json=basket, headers=good).status_code == 404  # the product is not known
        assert other.post("/api/quote", json=basket, headers=good).status_code == 400
        assert client.post("/api/quote", json=basket).status_code == 400
        assert client.post("/api/quote", json=basket, headers={"X-CSRF-Token": "x"}).status_code == 400
        assert post(client, "/signout", csrf_token="x").status_code == 400


def test_a_session_outlives_a_busy_day_and_a_forged_one_is_nobodys(house):
    client = house.signed_in("cashier")
    kept = client.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    assert client.get("/api/baskets").status_code == 200
    payload, _, signature = kept.value.rpartition(".")
    client.set_cookie(
        kept.key, f"{payload}.{'BA'[signature[0] == 'B']}{signature[1:]}"
    )  # the last letter has spare bits
    assert client.get("/api/baskets").status_code == 401
    client.set_cookie(kept.key, kept.value)
    answer = client.get("/api/baskets")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "RENEWED_AFTER", dt.timedelta(0))
        assert kept.key in client.get("/api/baskets").headers["Set-Cookie"]
        patch.setitem(house.app.config, "PERMANENT_SESSION_LIFETIME", dt.timedelta(0))
        client.set_cookie(kept.key, kept.value)
        assert client.get("/api/baskets").status_code == 401


@pytest.mark.parametrize("which", ["pages", "commands"])
def test_a_statement_that_fails_names_no_pin_in_the_log(house, which):
    doors = house.doors if which == "pages" else open_doors(house.doors.settings)
    hidden = {"pin_hash": "$argon2id$secret", "failed_tries": 0}
    with doors.write() as session, pytest.raises(sa.exc.IntegrityError) as fault:
        session.execute(sa.insert(Staff).values(node_id=STORE, id="cashier", name="Ben", role="cashier", **hidden))
    assert "INSERT INTO staff" in str(fault.value)
    assert "secret" not in "".join(traceback.format_exception(fault.value))
    if which == "commands":
        doors.database.engine.dispose()


def test_nobody_is_the_first_through_what_stands_before_a_node_and_no_operator_by_a_page(build):
    def begin(node, **headers):
        client = node.visitor()
        fields = {"csrf_token": token(client), "name": "Eve", "pin": "864209"}
        return client.post("/first", data=fields, headers=headers).status_code

    store, network = build(), build(role="network", node_id="network")
    for node in (store, network):
        with node.doors.write() as session:
            session.execute(sa.update(Staff).values(active=False))
    for name in ("X-Real-IP", "X-Forwarded-Host", "Forwarded", "Via", "CF-Connecting-IP", "True-Client-IP"):
        assert begin(store, **{name: "203.0.113.7"}) == 409, name
    assert begin(network) == 409
    assert "cornerstore staff add --role operator" in network.visitor().get("/signin").text
    assert begin(store) == 303


def test_signing_out_ends_the_session_and_whoever_copied_its_cookie_has_nothing(house):
    client, elsewhere, copy = house.signed_in(), house.signed_in(), house.visitor()
    kept = client.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    copy.set_cookie(kept.key, kept.value)
    assert copy.get("/api/baskets").status_code == 200
    left = post(client, "/signout")
    assert (left.status_code, left.headers["Clear-Site-Data"]) == (303, '"cache"'), "baskets and unsent sales stay"
    with client.session_transaction() as session:
        assert "staff" not in session
    assert copy.get("/api/baskets").status_code == 401
    assert elsewhere.get("/api/baskets").status_code == 200, "another device of the same person stays signed in"


def test_what_the_last_person_s_page_still_asks_does_not_sign_the_next_one_out(house):
    browser, late = house.signed_in("cashier"), house.visitor()
    kept = browser.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    late.set_cookie(kept.key, kept.value)
    post(browser, "/signout")
    answer = late.get("/api/baskets")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)


@pytest.mark.parametrize(
    ("which", "role", "longest"), [("house", "cashier", LONGEST_SESSION), ("network", "operator", OPERATOR_FOR)]
)
def test_a_session_that_is_used_all_the_time_ends_all_the_same(request, which, role, longest):
    client = request.getfixturevalue(which).signed_in(role)
    for ago_s, status in ((-60, 200), (60, 303)):
        with client.session_transaction() as session:
            session["since"] = int(time.time() - longest.total_seconds() - ago_s)
        assert client.get("/more/" if which == "house" else "/console/").status_code == status


def test_an_operator_s_session_ends_within_an_hour_of_nothing_and_a_till_s_does_not(house, network, monkeypatch):
    operator, cashier = network.signed_in("operator"), house.signed_in("cashier")
    assert operator.get("/console/").status_code == 200
    assert signed_in.OPERATOR_IDLE > sessions.RENEWED_AFTER, "one that is used is re-signed before it would end"
    monkeypatch.setattr(signed_in, "OPERATOR_IDLE", dt.timedelta(0))
    assert operator.get("/console/").location.startswith("/signin")
    assert cashier.get("/api/baskets").status_code == 200


def test_what_was_signed_out_is_forgotten_once_its_session_would_be_over(house):
    def kept():
        with house.doors.read() as session:
            return session.scalars(sa.select(staff_sessions.SignedOut.session_id)).all()

    now = dt.datetime.now(dt.UTC)
    for name, at in (
        ("old", now - LONGEST_SESSION - dt.timedelta(1)),
        ("new", now - LONGEST_SESSION / 2),
        ("new", now),
    ):
        with house.doors.write() as session:
            staff_sessions.end_session(session, name, at=at)
    assert kept() == ["new"]


def test_a_name_that_is_not_ours_is_not_answered(house):
    assert house.visitor().get("/signin", headers={"Host": "evil.example"}).status_code == 400
    assert house.visitor().get("/signin", headers={"Host": "192.168.1.20:8000"}).status_code == 200


def test_pages_send_a_strict_policy_without_inline_code(house):
    answer = house.visitor().get("/signin")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_over_tls_the_browser_keeps_to_it_and_the_doctor_says_where_cookies_do_not(build):
    network = build(role="network", node_id="network", secure_cookies=True, public_url="https://shops.example")
    browser = network.visitor()
    answer = browser.get("/signin?lang=zh")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    given = [answer, post(browser, "/look", look="dark"), post(browser, "/signin/operator", pin="333333")]
    given.append(post(browser, "/signin/operator", pin=staff.PRACTICE_PINS["operator"]))
    cookies = [one for each in given for one in each.headers.getlist("Set-Cookie")]
    assert len({one.partition("=")[0] for one in cookies}) == 4
    for cookie in cookies:
        assert cookie.startswith("__Host-cornerstore_network"), cookie
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")), cookie
        assert "Domain=" not in cookie
    loose = build(role="network", node_id="network", secure_cookies=False, public_url="https://shops.example")
    assert "Strict-Transport-Security" not in loose.visitor().get("/signin").headers
    words = {word.thing: word for word in doctor.examine(loose.doors, outside=False)}
    assert words["settings"].light == "warn"


def test_every_kind_of_answer_carries_the_headers_that_keep_browsers_apart(house):
    signed_in = house.signed_in()
    asked = [
        (signed_in, path) for path in ("/till/", "/stock/", "/people/", "/nothing", "/api/catalogue", "/api/nothing")
    ]
    asked += [
        (house.visitor(), path)
        for path in ("/signin", "/stock/", "/api/catalogue", "/health", "/static/built/till/till.js")
    ]
    for client, path in asked:
        answer = client.get(path, headers={"Origin": "https://elsewhere.example"}, buffered=True)
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control-")], path  # noqa: SIM118
        assert answer.headers["Referrer-Policy"] == "same-origin", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        if client is signed_in and path != "/api/catalogue":  # that is asked for again by its mark, and no person's
            assert answer.headers["Cache-Control"] == "no-store", path


def test_only_the_worker_that_reads_the_cameras_picture_may_run_webassembly(house):
    for path in ("/till/", "/stock/takes/", "/pickup/", "/static/built/camera/camera.js", "/static/built/till/till.js"):
        assert "wasm" not in house.signed_in().get(path, buffered=True).headers["Content-Security-Policy"], path
    policy = house.visitor().get("/static/built/camera/reader.js", buffered=True).headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "'unsafe-eval'" not in policy


def test_the_session_cookie_is_out_of_reach_of_scripts(house):
    client = house.visitor()
    answer = post(client, "/signin/cashier", pin="1111")
    cookie = answer.headers["Set-Cookie"]
    with client.session_transaction() as session:
        assert len(base64.urlsafe_b64decode(session["id"] + "==")) * 8 >= 128
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_five_wrong_pins_lock_the_name_for_a_while_and_each_is_journalled(house):
    client = house.visitor()
    for _ in range(5):
        assert post(client, "/signin/cashier", pin="9999").status_code == 409
    answer = post(client, "/signin/cashier", pin="1111")
    assert answer.status_code == 409
    assert "Try again in 31 seconds" in answer.text
    house.clock.advance(32)
    assert post(client, "/signin/cashier", pin="1111").status_code == 303
    with house.doors.read() as session:
        verbs = session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.like("signin.%"))).all()
    assert verbs == ["signin.refused"] * 5 + ["signin.good"]


def test_strangers_guesses_keep_nobody_out_of_a_device_they_have_signed_in_with(house):
    known, stranger = house.signed_in("supervisor"), house.visitor()
    post(known, "/signout")
    for _ in range(staff.TRIES + 2):
        assert post(stranger, "/signin/supervisor", pin="9999").status_code == 409
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code == 409
    assert post(known, "/signin/cashier", pin="1111").status_code == 303
    post(known, "/signout")
    assert post(known, "/signin/supervisor", pin="4444").status_code == 303
    post(known, "/signout")
    for _ in range(staff.TRIES):
        assert "Name and PIN do not match. Try again" in post(known, "/signin/supervisor", pin="9999").text
    assert "Too many" in post(known, "/signin/supervisor", pin="4444").text, "the device has as few tries as anybody"


def test_guesses_across_names_end_without_a_row_and_raise_one_alarm(house):
    def journalled():
        with house.doors.read() as session:
            return session.scalars(sa.select(JournalEntry.verb).where(JournalEntry.verb.like("signin.%"))).all()

    known, stranger = house.signed_in("cashier"), house.visitor()
    post(known, "/signout")
    sent = token(stranger)
    for n in range(staff.STRANGERS_MOST):
        stranger.post(f"/signin/nobody{n}", data={"csrf_token": sent, "pin": "1"})
    assert journalled() == ["signin.good"] + ["signin.refused"] * staff.STRANGERS_NOTED + ["signin.guessing"]
    with house.doors.read() as session:
        end = anchor_of(session)
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code == 409
    with house.doors.read() as session:
        assert anchor_of(session) == end, "a flood writes nothing"
    words = {word.thing: word for word in doctor.examine(house.doors, outside=False)}
    assert (words["sign-in"].light, words["sign-in"].value) == ("warn", staff.STRANGERS_MOST)
    assert post(known, "/signin/cashier", pin="1111").status_code == 303
    house.clock.advance(int(staff.STRANGERS_WITHIN.total_seconds()) + 1)
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code == 303


def test_the_network_names_nobody_who_works_there(network):
    network.doors.settings.practice = False
    assert "operator" not in network.visitor().get("/signin").text
    assert network.visitor().get("/signin/operator").location == network.visitor().get("/signin/nobody").location
    reported = {
        (name, n): re.sub(r'"[^"]*"', "", post(network.visitor(), "/signin", name=name, pin="9999").text)
        for name in ("operator", "nobody") for n in range(2)
    }  # fmt: skip
    assert len(set(reported.values())) == 1
    for _ in range(staff.TRIES):
        locked = post(network.visitor(), "/signin", name="operator", pin="9999")
    assert "too many attempts" in post(network.visitor(), "/signin", name="nobody", pin="9999").text
    assert "too many attempts" in locked.text
    network.clock.advance(staff.LOCK_MOST_S + 1)
    assert post(network.visitor(), "/signin", name=" Operator ", pin="3333").status_code == 303


def anchor_of(session):
    return session.execute(sa.select(JournalHead.n, JournalHead.hash)).all()


def test_who_guesses_a_supervisors_pin_is_stopped_and_the_supervisor_still_signs_in(house):
    def ask(asked_by, pin="9999"):
        with pytest.raises(Refused) as refusal:
            staff.check_pin(house.doors, STORE, "supervisor", pin, asked_by=asked_by)
        return refusal.value.code

    assert [ask("cashier") for _ in range(staff.TRIES)] == ["wrong-pin"] * staff.TRIES
    assert ask("cashier", "4444") == "locked"
    assert post(house.visitor(), "/signin/supervisor", pin="4444").status_code == 303
    assert ask("cashier", "4444") == "locked", "signing in forgets no guess of another person"
    assert ask("shopkeeper") == "wrong-pin"
    house.clock.advance(staff.LOCK_S + 1)
    assert ask("cashier") == "wrong-pin"
    house.clock.advance(staff.LOCK_S + 1)
    assert ask("cashier", "4444") == "locked", "each further wrong one locks twice as long"
    house.clock.advance(staff.LOCK_S)
    assert staff.check_pin(house.doors, STORE, "supervisor", "4444", asked_by="cashier").id == "supervisor"


def test_a_pin_kept_in_an_older_way_is_hashed_anew_when_it_is_typed_and_the_books_know(house):
    def kept() -> str:
        with house.doors.read() as session:
            return session.get_one(Staff, (STORE, "supervisor")).pin_hash

    older = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("4444")
    with house.doors.write() as session:
        session.get_one(Staff, (STORE, "supervisor")).pin_hash = older
    assert post(house.visitor(), "/signin/supervisor", pin="4440").status_code != 303
    assert kept() == older
    client = house.visitor()
    assert post(client, "/signin/supervisor", pin="4444").status_code == 303
    assert kept() != older
    assert not pins.is_dated(kept())
    assert client.get("/more/").status_code == 200, "who typed it stays signed in"
    with house.doors.read() as session:
        reported = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == "signin.good")).all()
        assert session.get_one(Staff, (STORE, "supervisor")).seal in reported[-1]


def test_sessions_and_forms_are_signed_with_sha_256_and_what_was_signed_before_is_still_read(house):
    client = house.signed_in()
    signing = house.app.session_interface.get_signing_serializer(house.app)
    with client.session_transaction() as session:
        held = dict(session)
    by_sha_1 = URLSafeTimedSerializer(
        house.app.secret_key, salt=signing.salt, serializer=signing.serializer, fallback_signers=[],
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )  # fmt: skip
    with pytest.raises(BadSignature):
        by_sha_1.loads(signing.dumps(held))
    assert signing.loads(by_sha_1.dumps(held)) == held
    assert URLSafeTimedSerializer("key").make_signer("salt").digest_method is hashlib.sha256
    with pytest.raises(BadSignature):
        signing.loads(by_sha_1.dumps(held)[:-3] + "AAA")


def test_no_address_replaces_or_adds_a_field_of_a_form(house):
    for method, found in (("POST", {"value": "5"}), ("GET", {"value": "99", "change": "down"})):
        with house.app.test_request_context("/prices/?value=99&change=down", method=method, data={"value": "5"}):
            assert request.values.to_dict() == found


def test_after_signing_in_nobody_is_led_out_of_the_house(house):
    for address in ("//evil.example", "https://evil.example", "/\\evil.example"):
        client = house.visitor()
        assert "evil" not in post(client, "/signin/cashier", pin="1111", next=address).location


def test_practice_pins_are_shown_in_practice_alone(house, build, tmp_path):
    assert "1111" in house.visitor().get("/signin").text
    house.app.extensions["cornerstore"].settings.practice = False
    assert "1111" not in readable(house.visitor().get("/signin").text)


def test_the_sign_in_page_speaks_the_language_of_the_address_and_remembers(house):
    client = house.visitor()
    assert 'lang="zh-Hans-CN"' in client.get("/signin?lang=zh").text
    assert '<html lang="zh-Hans-CN"' in client.get("/signin").text


def test_an_unknown_address_is_a_page_for_people_and_json_for_programs(house):
    assert house.visitor().get("/nowhere").status_code == 404
    assert house.visitor().get("/api/nowhere").json["error"]["code"] == "not-found"


def test_wrong_pins_at_one_instant_all_count(house):
    reported: list[str] = []

    def guess() -> None:
        try:
            staff.check_pin(house.doors, "S01", "supervisor", "0000")
        except Refused as fault:
            reported.append(fault.code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reported) == ["locked"] * 7 + ["wrong-pin"] * 5
    with house.doors.read() as session:
        assert session.get_one(Staff, ("S01", "supervisor")).failed_tries == staff.TRIES


def test_a_fault_is_logged_by_its_route_and_not_by_the_code_in_the_address(house):
    (rule,) = [one for one in house.app.url_map.iter_rules() if one.rule == "/api/vouchers/<code>"]
    client, view = house.signed_in(), house.app.view_functions[rule.endpoint]
    house.app.view_functions[rule.endpoint] = functools.wraps(view)(lambda code: {}[code])
    with structlog.testing.capture_logs() as logged:
        assert client.get("/api/vouchers/ABCD-EFGH-JKLM").status_code == 500
    (line,) = [one for one in logged if one["event"] == "unforeseen"]
    assert line["route"] == "/api/vouchers/<code>"
    assert not any("ABCD" in str(value) for name, value in line.items() if name != "exc_info")
