"""WeChat Pay and Alipay: charged once, closed or paid and never both, refunded once per key; simulated."""

import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from pydantic import SecretStr, ValidationError

from config.clock import FrozenClock
from config.errors import Invalid, Refused, Unreachable
from config.ids import new_id
from pos.payments import wallet_codes
from pos.payments.payments import Payment
from pos.payments.providers import NEVER_SEEN, Request
from pos.store.store import Store
from store_app.payments import alipay, wechat_pay
from store_app.payments.alipay import AlipaySettings
from store_app.payments.wallets import CODE_OVER, ONLY_YUAN, SHOWN_FOR, TOO_LITTLE
from store_app.payments.wechat_pay import WechatPaySettings
from tests.builders import NOON, open_store
from tests.simulators import alipay as alipay_service
from tests.simulators import wechat_pay as wechat_service
from tests.simulators.driver import Driver
from tests.simulators.wallet import FAULTS, key_pair, serving
from tests.store_app.conftest import STORE, token
from tests.store_app.office import send

ID = "0190b2f4-6f3a-7c11-9d52-3f6f2a8c1e77"
CODES = {"wechat-pay": "134567890123456789", "alipay": "287654321098765432"}
NOTICES = "https://store.example/api/notices/"
BOTH = pytest.mark.parametrize("name", ["wechat-pay", "alipay"])


def service_of(name, now, **given):
    if name == "alipay":
        return alipay_service.Service(now, alipay.number_of, **given)
    return wechat_service.Service(now, wechat_pay.number_of, **given)


def settings_of(name, at, **given):
    if name == "alipay":
        known = {"app": alipay_service.APP, "private_key": alipay_service.OUR_PEM, "public_key": alipay_service.KEY_PEM}
        return AlipaySettings(**known | {"address": at, "notice_address": f"{NOTICES}{name}"} | given)
    known = {
        "merchant": wechat_service.MERCHANT, "app": wechat_service.APP, "certificate": wechat_service.SERIAL,
        "private_key": wechat_service.OUR_PEM, "secret_key": wechat_service.SECRET,
    }  # fmt: skip
    return WechatPaySettings(**known | {"address": at, "notice_address": f"{NOTICES}{name}"} | given)


def provider_of(name, service, folder, **given):
    make = alipay.make if name == "alipay" else wechat_pay.make
    return make(settings_of(name, service.address, **given), folder)


class Side:
    """A provider and the service behind it."""

    def __init__(self, name, service, folder, clock, **given):
        self.name, self.service, self.clock = name, service, clock
        self.provider = provider_of(name, service, folder, **given)

    def request(self, way="customer_code", **wishes):
        given = {"id": ID, "sale_id": "sale-0000001", "till_id": "T1", "way": way, "amount_minor": 1_250}
        given |= {"currency": "CNY", "merchant": "Corner of {Elm} Street 便利店", "country": "CN"}
        if way == "customer_code":
            given["wallet"] = wallet_codes.read(CODES[self.name])
        return Request(**given | wishes)

    def begin(self, request):
        """Begin, and return the answer and the request as it is asked about from then on."""
        outcome = self.provider.begin(request, at=self.clock.now())
        return outcome, replace(request, reference=outcome.reference, wallet=None)

    def query(self, request):
        return self.provider.query(request, at=self.clock.now())

    def cancel(self, request):
        return self.provider.cancel(request, at=self.clock.now())

    def back(self, request, amount_minor, key="back-0001"):
        return self.provider.reverse(request, amount_minor, key=key, at=self.clock.now())

    def wrong(self, fault):
        self.service.faults, self.service.only = 1.0, (fault,)

    def well(self):
        self.service.faults = 0


@pytest.fixture
def sides(tmp_path):
    """Give a maker of sides."""
    served = []

    def made(name, **given):
        clock = FrozenClock(NOON)
        serves = serving(service_of(name, clock.now))
        served.append(serves)
        return Side(name, serves.__enter__(), tmp_path, clock, **given)

    yield made
    for serves in served:
        serves.__exit__(None, None, None)


# --- a code on the customer's phone ---


@BOTH
def test_a_scanned_code_is_charged_once_however_often_it_is_asked(sides, name):
    side = sides(name)
    outcome, known = side.begin(side.request())
    assert outcome.state == "captured"
    assert outcome.reference
    assert side.begin(side.request())[0].state == "captured"
    assert side.query(known).state == side.cancel(known).state == "captured"
    assert (side.service.holds(ID), len(side.service.trades)) == (1_250, 1)


@BOTH
def test_a_customer_who_types_a_password_is_waited_for(sides, name):
    side = sides(name)
    side.service.plan = "waits"
    outcome, known = side.begin(side.request())
    assert (outcome.state, side.query(known).state) == ("requested", "requested")
    side.service.pay(ID)
    assert side.query(known).state == "captured"


@BOTH
def test_an_empty_account_declines_in_words(sides, name):
    side = sides(name)
    side.service.plan = "poor"
    outcome, known = side.begin(side.request())
    assert (outcome.state, outcome.reason) == ("declined", TOO_LITTLE)
    assert side.query(known).state in ("declined", "cancelled")
    assert side.service.holds(ID) == 0


@BOTH
def test_a_charge_the_service_kept_silent_about_is_found(sides, name):
    side = sides(name)
    side.service.plan = "paid in silence"
    if name == "wechat-pay":
        with pytest.raises(Unreachable):
            side.begin(side.request())
    else:
        assert side.begin(side.request())[0].state == "captured"
    assert side.query(side.request(wallet=None)).state == "captured"


@BOTH
def test_what_waits_is_closed_and_what_was_never_seen_says_so(sides, name):
    side = sides(name)
    assert side.query(side.request()).reason == NEVER_SEEN
    outcome = side.cancel(side.request())
    assert (outcome.state, outcome.reason) == ("cancelled", NEVER_SEEN)
    side.service.plan = "waits"
    _, known = side.begin(side.request())
    assert side.cancel(known).state == "cancelled"
    assert side.query(known).state == "cancelled"
    assert side.service.trade(ID).state == "revoked"


@BOTH
def test_only_yuan_is_taken_and_only_with_a_code(sides, name):
    side = sides(name)
    outcome, _ = side.begin(side.request(currency="EUR"))
    assert (outcome.state, outcome.reason) == ("declined", ONLY_YUAN)
    outcome, _ = side.begin(side.request(wallet=None))
    assert (outcome.state, outcome.reason) == ("declined", CODE_OVER)
    assert side.service.trades == {}


# --- a code the store shows ---


@BOTH
def test_a_shown_code_is_paid_by_whoever_scans_it(sides, name):
    side = sides(name)
    outcome, known = side.begin(side.request("store_code"))
    assert outcome.state == "requested"
    assert "/code/" in outcome.shown_code
    assert side.query(known).state == "requested"
    side.service.pay(ID)
    paid = side.query(known)
    assert (paid.state, paid.reference.startswith("until-")) == ("captured", False)


@BOTH
def test_a_shown_code_ends_by_itself_and_is_closed_at_the_service(sides, name):
    side = sides(name)
    _, known = side.begin(side.request("store_code"))
    side.clock.advance(SHOWN_FOR.total_seconds() - 1)
    assert side.query(known).state == "requested"
    side.clock.advance(1)
    assert side.query(known).state == "cancelled"
    assert side.service.trade(ID).state in ("closed", "revoked")


@BOTH
def test_a_code_paid_at_the_last_moment_counts_as_paid(sides, name):
    side = sides(name)
    _, known = side.begin(side.request("store_code"))
    side.service.pay(ID)
    side.clock.advance(2 * SHOWN_FOR.total_seconds())
    assert side.query(known).state == side.cancel(known).state == "captured"
    assert side.service.holds(ID) == 1_250


@BOTH
def test_a_shown_code_whose_answer_was_lost_can_still_be_had(sides, name):
    side = sides(name)
    side.query(side.request())
    side.wrong("unanswered")
    with pytest.raises(Unreachable):
        side.begin(side.request("store_code"))
    side.well()
    found = side.query(side.request("store_code"))
    if name == "alipay":  # no trade until it is scanned, and nobody can have seen it
        assert found.reason == NEVER_SEEN
        found, _ = side.begin(side.request("store_code"))
    assert "/code/" in found.shown_code
    assert len(side.service.trades) == 1


@BOTH
def test_a_canceled_code_is_closed_and_stays_so(sides, name):
    side = sides(name)
    _, known = side.begin(side.request("store_code"))
    assert side.cancel(known).state == "cancelled"
    assert side.service.trade(ID).state in ("closed", "revoked")
    side.clock.advance(60)
    assert side.query(known).state != "captured"
    assert side.query(known).shown_code == ""


def test_alipay_closing_that_is_to_be_asked_again_is_no_answer_yet(sides):
    side = sides("alipay")
    side.service.plan = "waits"
    _, known = side.begin(side.request())
    side.service.again = True
    assert side.cancel(known).state == "requested"
    side.service.again = False
    assert side.cancel(known).state == "cancelled"


def test_wechat_shows_no_code_without_an_address_for_its_notices(sides):
    side = sides("wechat-pay", notice_address="")
    assert side.provider.ways == {"customer_code"}


# --- giving back ---


@BOTH
def test_money_goes_back_in_parts_once_per_key_and_never_more_than_was_paid(sides, name):
    side = sides(name)
    _, known = side.begin(side.request())
    assert [side.back(known, 500).state for _ in range(3)] == ["captured"] * 3
    assert side.back(known, 751, "back-0002").state == "declined"
    assert side.back(known, 750, f"{ID}:back").state == "captured"
    assert side.back(known, 1, "back-0003").state == "declined"
    assert side.service.holds(ID) == 0


@BOTH
def test_a_refund_whose_answer_was_lost_is_made_once(sides, name):
    side = sides(name)
    _, known = side.begin(side.request())
    side.wrong("unanswered")
    with pytest.raises(Unreachable):
        side.back(known, 500)
    side.well()
    assert side.back(known, 500).state == "captured"
    assert side.service.holds(ID) == 750


@BOTH
def test_a_refund_that_was_made_and_then_refused_counts(sides, name):
    side = sides(name)
    _, known = side.begin(side.request())
    side.back(known, 500)
    side.service.cross = True
    assert side.back(known, 500).state == "captured"
    assert side.service.holds(ID) == 750


def test_a_refund_that_alipay_refuses_and_cannot_look_up_is_no_answer(sides):
    side = sides("alipay")
    _, known = side.begin(side.request())
    side.service.mute = "trade.fastpay.refund.query"
    with pytest.raises(Unreachable):
        side.back(known, 1_251)


def test_a_refund_that_alipay_took_and_did_not_make_is_asked_for_again(sides):
    side = sides("alipay")
    _, known = side.begin(side.request())
    side.service.idle = True
    with pytest.raises(Unreachable):
        side.back(known, 500)
    side.service.idle = False
    assert side.back(known, 500).state == "captured"


@BOTH
def test_what_was_never_paid_is_not_given_back(sides, name):
    side = sides(name)
    assert side.back(side.request(), 500).state == "declined"


def test_a_slow_refund_is_waited_for_and_a_stuck_one_is_for_a_person(sides):
    side = sides("wechat-pay")
    _, known = side.begin(side.request())
    side.service.slow = True
    side.service.stuck = True
    outcome = side.back(known, 500)
    assert (outcome.state, outcome.reason) == ("unknown", wechat_pay.STUCK)
    side.service.stuck = False
    assert side.back(known, 500).state == "captured"
    assert side.service.holds(ID) == 750


# --- who says it ---


@BOTH
@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in ("twice", "late", "lie")])
def test_what_goes_wrong_on_the_way_is_no_answer(sides, name, fault):
    side = sides(name)
    side.query(side.request())  # it has the certificates
    side.wrong(fault)
    for ask in (side.begin, side.query, side.cancel, lambda request: side.back(request, 1)):
        with pytest.raises(Unreachable):
            ask(side.request())


LIES = {
    ("alipay", "charge"): ("out_trade_no", "total_amount"),
    ("alipay", "query"): ("out_trade_no", "total_amount", "trade_status"),
    ("alipay", "code"): ("out_trade_no",),
    ("alipay", "back"): ("out_trade_no",),
    ("alipay", "back again"): ("out_trade_no", "out_request_no", "refund_amount", "total_amount"),
    ("wechat-pay", "charge"): ("mchid", "appid", "out_trade_no", "attach", "amount", "trade_state"),
    ("wechat-pay", "query"): ("mchid", "appid", "out_trade_no", "attach", "amount", "trade_state"),
    ("wechat-pay", "back"): ("out_refund_no", "out_trade_no", "amount"),
}


@pytest.mark.parametrize(
    ("name", "step", "about"), [(name, step, about) for (name, step), all_of in LIES.items() for about in all_of]
)
def test_an_answer_about_something_else_is_no_answer(sides, name, step, about):
    side = sides(name)
    _, known = side.begin(side.request())
    if step == "back again":
        side.back(known, 500)
    side.wrong("lie")
    side.service.lie_about = about
    ask = {
        "charge": lambda: side.begin(side.request(id="pay-00000002")),
        "code": lambda: side.begin(side.request("store_code", id="pay-00000002")),
        "query": lambda: side.query(known),
    }.get(step, lambda: side.back(known, 500))
    with pytest.raises(Unreachable, match="another payment"):
        ask()


@BOTH
def test_another_amount_than_was_asked_for_is_no_payment(sides, name):
    side = sides(name)
    _, known = side.begin(side.request())
    with pytest.raises(Unreachable, match="another payment"):
        side.query(replace(known, amount_minor=1_251))


@BOTH
def test_the_service_refuses_what_another_key_signed(sides, name):
    side = sides(name, private_key=key_pair()[1])
    with pytest.raises(Unreachable, match="does not accept this store's keys"):
        side.begin(side.request())
    assert side.service.trades == {}


@BOTH
def test_an_answer_signed_by_another_key_is_no_answer(sides, name):
    if name == "alipay":
        side = sides(name, public_key=key_pair()[2])
    else:
        side = sides(name, public_key=key_pair()[2], public_key_id=wechat_service.KEY_ID)
    with pytest.raises(Unreachable, match="not signed"):
        side.begin(side.request())


def test_wechat_answers_are_verified_with_the_public_key_where_one_is_set(sides):
    side = sides("wechat-pay", public_key=wechat_service.KEY_PEM, public_key_id=wechat_service.KEY_ID)
    assert side.begin(side.request())[0].state == "captured"
    assert "GET /v3/certificates" not in side.service.asked


def test_a_new_platform_certificate_is_fetched_when_it_signs(sides):
    side = sides("wechat-pay")
    _, known = side.begin(side.request())
    side.service.renew()
    with pytest.raises(Unreachable, match="not signed"):  # fetched a moment ago
        side.query(known)
    side.provider._core.renewed -= wechat_pay.RENEWED_S
    assert side.query(known).state == "captured"
    assert side.service.asked.count("GET /v3/certificates") == 2


def test_an_expired_platform_certificate_signs_nothing(sides):
    side = sides("wechat-pay")
    _, known = side.begin(side.request())
    side.service.renew(days=-1)
    side.provider._core.renewed -= wechat_pay.RENEWED_S
    with pytest.raises(Unreachable, match="not signed"):
        side.query(known)
    side.provider._core._certificates.append(side.service.certificates[-1][1])  # it expired while we ran
    with pytest.raises(Unreachable, match="not signed"):
        side.query(known)


def test_certificates_that_cannot_be_had_leave_the_old_ones_in_place(sides):
    side = sides("wechat-pay")
    _, known = side.begin(side.request())
    body, headers = side.service.notice(ID)
    side.provider._core.renewed -= wechat_pay.RENEWED_S
    side.wrong("broken")
    with pytest.raises(Invalid):
        side.provider.noticed(body, headers | {"Wechatpay-Serial": "AB12"})
    side.well()
    assert side.query(known).state == "captured"


def test_a_number_at_the_service_is_short_and_belongs_to_one_payment():
    ids = [ID, f"{ID[:-1]}8", "pay-00000001", "pay00000001", "x" * 40, "x" * 39, new_id()]
    numbers = [wechat_pay.number_of(one) for one in ids]
    assert len(set(numbers)) == len(ids)
    assert all(6 <= len(one) <= 32 and one.isalnum() for one in numbers)
    assert len({alipay.number_of(one) for one in ids}) == len(ids)


def test_an_old_answer_played_again_is_no_answer(sides):
    side = sides("wechat-pay")
    _, known = side.begin(side.request())
    side.service.age_s = wechat_pay.AGE_S + 5
    with pytest.raises(Unreachable, match="not signed"):
        side.query(known)


# --- notices ---


@BOTH
def test_a_notice_names_the_payment_once(sides, name):
    side = sides(name)
    side.begin(side.request())
    body, headers = side.service.notice(ID)
    assert side.provider.noticed(body, headers) == ID
    assert side.provider.noticed(body, headers) == ""


@BOTH
@pytest.mark.parametrize("how", ["changed", "unsigned", "old", "junk"])
def test_a_forged_or_old_notice_is_refused(sides, name, how):
    side = sides(name)
    side.begin(side.request())
    age_s = 0
    if how == "old":
        age_s = (alipay if name == "alipay" else wechat_pay).AGE_S + 5
    side.service.unsigned = how == "unsigned" and name == "wechat-pay"
    body, headers = side.service.notice(ID, age_s=age_s)
    if how == "changed":
        body = body.replace(b"notice-", b"other-").replace(b"TRADE_SUCCESS", b"TRADE_CLOSED")
    if how == "unsigned" and name == "alipay":
        body = body.replace(b"&sign=", b"&sign=AAAA")
    if how == "junk":
        body, headers = b"\xff{", {}
    with pytest.raises(Invalid, match="not signed by the payment service, or is too old"):
        side.provider.noticed(body, headers)


@BOTH
def test_a_notice_for_another_merchant_is_refused(sides, name):
    side = sides(name)
    side.begin(side.request())
    other = {"app_id": "2021000000000009"} if name == "alipay" else {"mchid": "1900000999"}
    with pytest.raises(Refused, match="for another account"):
        side.provider.noticed(*side.service.notice(ID, **other))


def test_a_forged_notice_does_not_keep_the_node_asking_for_certificates(sides):
    side = sides("wechat-pay")
    side.begin(side.request())
    body, headers = side.service.notice(ID)
    for n in range(5):
        with pytest.raises(Invalid):
            side.provider.noticed(body, headers | {"Wechatpay-Serial": f"{n + 1:040X}"})
    assert side.service.asked.count("GET /v3/certificates") == 1


def test_a_notice_sealed_with_another_secret_is_refused(sides):
    side = sides("wechat-pay")
    side.begin(side.request())
    with pytest.raises(Invalid):
        side.provider.noticed(*side.service.notice(ID, secret="x" * 32))


# --- settings ---


@BOTH
@pytest.mark.parametrize("how", ["whole", "bare", "one line"])
def test_a_key_is_read_however_it_was_pasted(sides, name, how):
    pem = (alipay_service if name == "alipay" else wechat_service).OUR_PEM
    bare = "".join(pem.splitlines()[1:-1])
    pasted = {"whole": f"\n{pem} ", "bare": bare, "one line": pem.replace("\n", " ")}[how]
    side = sides(name, private_key=pasted)
    assert side.begin(side.request())[0].state == "captured"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("alipay", {"app": "12"}), ("alipay", {"private_key": "hello"}), ("alipay", {"public_key": "aGVsbG8="}),
        ("alipay", {"address": "http://pay.example"}), ("alipay", {"notice_address": "http://store.example/x"}),
        ("wechat-pay", {"merchant": "x"}), ("wechat-pay", {"app": "1"}), ("wechat-pay", {"secret_key": "short"}),
        ("wechat-pay", {"public_key_id": "PUB_KEY_ID_1"}), ("wechat-pay", {"certificate": "no"}),
        ("wechat-pay", {"address": "https://pay.example/path"}),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(name, wrong):
    with pytest.raises(ValidationError):
        settings_of(name, "http://127.0.0.1:1", **wrong)


@BOTH
def test_a_key_shows_in_no_text_of_its_settings(name):
    settings = settings_of(name, "http://127.0.0.1:1")
    secret = "".join(settings.private_key.get_secret_value().splitlines()[1:3])
    assert secret[:40] not in repr(settings).replace("\\n", "")


def test_the_sdks_are_not_loaded_before_somebody_pays():
    names = "store_app.payments.wechat_pay, store_app.payments.alipay"
    code = f"import sys, {names}; sys.exit(bool({{'wechatpayv3', 'alipay', 'requests'}} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- through the books ---


def traded(folder, name, way, sales, seed, faults=0.05):
    store = open_store(folder)
    with store.write() as session:
        session.execute(sa.update(Store).values(currency="CNY"))
    with serving(service_of(name, lambda: store.now, seed=seed, faults=faults, plan="")) as service:
        provider = provider_of(name, service, folder)
        code = CODES[name] if way == "customer_code" else ""
        driver = Driver(store, provider, service, tender="wallet", way=way, seed=seed, code=code)
        driver.trade(sales)
        return driver.faults()


@BOTH
@pytest.mark.parametrize("way", ["customer_code", "store_code"])
@pytest.mark.parametrize(("seed", "faults"), [(1, 0.05), (2, 0.3)])
def test_sales_through_a_service_that_misbehaves_are_paid_once_and_end(tmp_path, name, way, seed, faults):
    assert traded(tmp_path, name, way, 25, seed, faults) == []


@pytest.mark.faults
@BOTH
def test_ten_thousand_sales_through_a_service_that_misbehaves(tmp_path, name):
    for seed in range(20):
        way = ("customer_code", "store_code")[seed % 2]
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert traded(folder, name, way, 500, seed) == []


# --- at a till that takes both ---


@pytest.fixture
def both(sides, build):
    """Give a store's node that takes both wallets, and their sides."""
    house = build(is_new=True, payment_service="none")
    with house.doors.write() as session:
        session.execute(sa.update(Store).values(currency="CNY"))
    made, keeper = [sides(name) for name in ("wechat-pay", "alipay")], house.signed_in("shopkeeper")
    for side in made:
        side.clock = house.clock
        side.service.now = house.clock.now
        assert send(keeper, f"/plugins/payments/{side.name}", **typed(side.name, side.service)).status_code == 303
    return house, *made


def typed(name, service):
    """Return settings as a form sends them, a key on one line."""
    given = settings_of(name, service.address).model_dump()
    plain = {key: one.get_secret_value() if isinstance(one, SecretStr) else one for key, one in given.items()}
    return {key: one.replace("\n", " ") for key, one in plain.items()}


def asks(house, **wishes):
    client = house.signed_in("cashier")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    given = {"id": new_id(), "sale_id": new_id(), "till_id": "1", "tender": "wallet", "amount_minor": 300}
    return client.post("/api/payments", json=given | wishes)


def test_the_scanned_code_says_which_wallet_is_asked(both):
    house, *made = both
    for side in made:
        answer = asks(house, way="customer_code", code=CODES[side.name])
        assert (answer.json["state"], side.service.holds(answer.json["id"])) == ("captured", 300)
    assert [len(side.service.trades) for side in made] == [1, 1]


def test_the_cashier_chooses_whose_code_the_store_shows(both):
    house, *made = both
    for side in made:
        answer = asks(house, way="store_code", provider=side.name)
        assert (answer.json["state"], list(side.service.trades)) == (
            "requested",
            [side.service.number_of(answer.json["id"])],
        )
    assert asks(house, way="store_code", provider="another").json["error"]["code"] == "no-provider"
    page = house.signed_in("cashier").get("/till/", follow_redirects=True).get_data(as_text=True)
    assert all(f'"provider":"{side.name}"' in page.replace(" ", "") for side in made)


def test_a_code_of_a_wallet_that_is_not_set_up_is_refused_in_words(sides, build):
    house = build(is_new=True, payment_service="none")
    side = sides("wechat-pay")
    send(house.signed_in("shopkeeper"), f"/plugins/payments/{side.name}", **typed(side.name, side.service))
    error = asks(house, way="customer_code", code=CODES["alipay"]).json["error"]
    assert error["code"] == "wallet-not-set-up"
    assert side.service.trades == {}


@pytest.mark.parametrize("at", [0, 1])
def test_a_notice_makes_the_node_ask_and_books_nothing_itself(both, at):
    house, side = both[0], both[1 + at]
    paid = asks(house, way="store_code", provider=side.name).json["id"]
    side.service.pay(paid)
    before = len(side.service.asked)
    lying = {"trade_status": "TRADE_CLOSED"} if side.name == "alipay" else {"trade_state": "CLOSED"}
    body, headers = side.service.notice(paid, **lying)
    client = house.app.test_client()
    for _ in range(2):
        answer = client.post(f"/api/notices/{side.name}", data=body, headers=headers)
        assert (answer.status_code, answer.text) == (200, "success")
    assert len(side.service.asked) == before + 1
    with house.doors.read() as session:
        assert session.get_one(Payment, (STORE, paid)).state == "captured"


@pytest.mark.parametrize("at", [0, 1])
def test_a_forged_notice_is_refused_at_the_door(both, at):
    house, side = both[0], both[1 + at]
    paid = asks(house, way="store_code", provider=side.name).json["id"]
    side.service.pay(paid)
    body, headers = side.service.notice(paid)
    answer = house.app.test_client().post(f"/api/notices/{side.name}", data=b"x=1&" + body, headers=headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "notice-forged")
    assert house.app.test_client().post("/api/notices/nobody", data=b"{}").status_code == 404
    with house.doors.read() as session:
        assert session.get_one(Payment, (STORE, paid)).state == "requested"


def test_a_notice_about_a_payment_of_another_node_changes_nothing(both):
    house, side = both[0], both[1]
    side.begin(side.request())
    body, headers = side.service.notice(ID)
    assert house.app.test_client().post(f"/api/notices/{side.name}", data=body, headers=headers).status_code == 200


def test_a_notice_of_one_service_says_nothing_of_the_others_payment(both):
    house, wechat, ali = both
    paid = asks(house, way="store_code", provider="alipay").json["id"]
    wechat.begin(wechat.request(id=paid))
    before = list(ali.service.asked)
    body, headers = wechat.service.notice(paid)
    assert house.app.test_client().post("/api/notices/wechat-pay", data=body, headers=headers).status_code == 200
    assert ali.service.asked == before
