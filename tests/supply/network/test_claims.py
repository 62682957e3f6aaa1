"""A complaint about a delivery, from the store's photo to its end: money, goods and stock agree at both nodes."""

import io
from functools import cache

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.stock import stock
from pos.store import pictures
from supply.money import consignment, ledger
from supply.money.ledger import balances, owed
from supply.network.claims import handling, photos
from supply.network.claims.photos import ClaimPhoto, ClaimPhotoPiece
from supply.network.offers import offer_results
from supply.network.warehouse import returns
from supply.orders import claims as delivery_claims
from supply.orders import supplier_messages, supplier_returns
from supply.orders.deliveries import Delivery
from supply.orders.suppliers import Supplier
from supply.receiving import receiving
from tests.supply.receiving.test_consignment import OFFER, bring, close, lots
from tests.supply.road import AT, FARM, KEEPER, OPERATOR, Country, later, make_country

CLAIM = "claim-00001"
BREAD_MINOR = 150  # a unit: 900 a pack of six


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def deliver_bread(country: Country, counted: int = 12, why: str = "Missing") -> str:
    """Order two packs of bread and take in what came; returns the delivery."""
    country.order("S1", {"bread": 2})
    country.send_out()
    delivery_id = country.take_in("S1", [("bread", counted, "" if counted == 12 else why)])
    country.deliver()
    return delivery_id


def file(country: Country, delivery_id: str, *lines, at=AT, id: str = CLAIM, claim_days=None, wish="money", **wishes):
    asked = handling.ClaimRequest(delivery_id, lines, wish, **wishes)
    with country.stores["S1"].write() as session:
        return handling.file(Context(session, KEEPER["S1"], at), "S1", asked, id=id, claim_days=claim_days).state


def decide(country: Country, granted: dict, *, remedy: str = "money", words: str = "", at=AT) -> None:
    with country.network.write() as session:
        handling.decide(Context(session, OPERATOR, at), "S1", CLAIM, granted, remedy=remedy, words=words)


def states(country: Country) -> tuple[str, str]:
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            found.append(session.get(delivery_claims.Claim, ("S1", CLAIM)).state)
    return found[0], found[1]


def owes(country: Country) -> int:
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            found.append(owed(balances(session, "S1")))
    assert found[0] == found[1], "the store's copy is the network's ledger"
    return found[0]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_damaged_units_leave_the_stock_at_once_and_are_credited_when_they_are_accepted(country, seed):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 3))
    assert country.level("S1", "S1", "bread").on_hand == 9
    country.deliver(seed=seed)
    with country.network.write() as session:
        handling.look_into(Context(session, OPERATOR, AT), "S1", CLAIM)
    country.deliver(seed=seed)
    assert states(country) == ("under_review", "under_review")
    decide(country, {("bread", "damaged"): 3})
    country.deliver(seed=seed)
    country.reapply()
    assert states(country) == ("compensated", "compensated")
    assert owes(country) == 9 * BREAD_MINOR
    assert country.findings() == []


def test_goods_too_many_are_never_sent_anew_and_no_answer_keeps_a_van_from_leaving(country):
    delivery = deliver_bread(country, counted=15, why="Too many")
    file(country, delivery, ("bread", "over", 3))
    country.deliver()
    with pytest.raises(Invalid, match="Surplus products can't be replaced"):
        decide(country, {("bread", "over"): 3}, remedy="replacement")
    with country.network.write() as session:  # one that was answered so before
        claim = session.get(delivery_claims.Claim, ("S1", CLAIM))
        claim.state, claim.remedy = "accepted", "replacement"
    milk = country.order("S2", {"milk": 1})
    country.deliver()
    country.fill()
    assert country.load() == [milk]


def test_a_replacement_sent_back_at_the_door_ends_its_claim_by_what_was_credited(country):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 3))
    country.deliver()
    decide(country, {("bread", "damaged"): 3}, remedy="replacement")
    country.load()
    country.deliver()
    delivery = country.delivery("S1")
    with country.stores["S1"].write() as session:
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", delivery, why="Broken again")
    country.deliver(seed=2)
    assert states(country) == ("compensated", "compensated")
    assert owes(country) == 9 * BREAD_MINOR
    assert country.level("network", "WH1", "bread").on_hand == 48
    assert country.findings() == []


@pytest.mark.parametrize("granted", [4, 0])
def test_units_under_a_claim_are_not_bought_before_it_is_answered(country, granted):
    bring(country)
    with country.stores["S1"].read() as session:
        delivery = session.scalar(sa.select(Delivery.id))
    file(country, delivery, ("bread", "damaged", 4))
    with country.stores["S1"].write() as session:
        consignment.propose_now(Context(session, KEEPER["S1"], later(days=1)), "S1", OFFER)
        returns.send(Context(session, KEEPER["S1"], later(days=1)), "S1", OFFER, {"bread": 8})
    country.deliver()
    with country.network.write() as session:
        returns.receive(Context(session, OPERATOR, later(days=2)), "S1", OFFER, {"bread": (8, 8)})
    close(country, later(days=40))
    assert lots(country) == [(4, 0, 8, 0)] * 2, "what is claimed waits for its answer"
    decide(country, {("bread", "damaged"): granted}, words="" if granted else "No", at=later(days=41))
    country.deliver()
    close(country, later(days=42))
    assert lots(country) == [(0, 0, 8 + granted, 4 - granted)] * 2
    assert owes(country) == (4 - granted) * BREAD_MINOR - 250
    assert country.findings() == []


def test_a_part_is_granted_with_a_reason_and_contested_once(country):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 4))
    country.deliver()
    with pytest.raises(Invalid, match="Explain to the shopkeeper why you are approving less"):
        decide(country, {("bread", "damaged"): 1})
    decide(country, {("bread", "damaged"): 1}, words="Only one is to be seen")
    with pytest.raises(Conflict, match="This claim has already been answered"):
        decide(country, {("bread", "damaged"): 4})
    country.deliver()
    assert (states(country), owes(country)) == (("compensated", "compensated"), 11 * BREAD_MINOR)
    with country.stores["S1"].write() as session:
        handling.contest(Context(session, KEEPER["S1"], AT), "S1", CLAIM, words="Look at the second photo")
    country.deliver(seed=2)
    with pytest.raises(Invalid, match="approve 1 to 4"):
        decide(country, {}, words="No")
    decide(country, {("bread", "damaged"): 3}, words="Three, not four")
    country.deliver(seed=3)
    country.reapply()
    assert (states(country), owes(country)) == (("compensated", "compensated"), 9 * BREAD_MINOR)
    with country.stores["S1"].write() as session, pytest.raises(Conflict, match="second response is final"):
        handling.contest(Context(session, KEEPER["S1"], AT), "S1", CLAIM, words="Again")
    assert country.findings() == []


def test_what_was_not_counted_in_is_not_charged_and_comes_as_a_replacement_at_the_same_cost(country):
    delivery = deliver_bread(country, counted=9)
    file(country, delivery, ("bread", "short", 3), ("bread", "expired", 2), wish="replacement")
    country.deliver()
    decide(country, {("bread", "short"): 3, ("bread", "expired"): 2}, remedy="replacement")
    country.deliver()
    assert (states(country), owes(country)) == (("accepted", "accepted"), 7 * BREAD_MINOR)
    country.load()
    country.load()
    country.deliver()
    with country.stores["S1"].read() as session:
        (coming,) = receiving.expected(session, "S1")
        assert delivery_claims.replaces(coming.id) == CLAIM
    country.take_in("S1")
    country.deliver(seed=1)
    country.reapply()
    assert states(country) == ("replaced", "replaced")
    assert (owes(country), country.level("S1", "S1", "bread").on_hand) == (12 * BREAD_MINOR, 12)
    assert country.findings() == []


@pytest.mark.parametrize("left", [1, 0])
def test_a_replacement_that_is_not_to_be_had_comes_in_part_or_ends_by_what_was_credited(country, left):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 3), wish="replacement")
    country.deliver()
    decide(country, {("bread", "damaged"): 3}, remedy="replacement")
    with country.network.write() as session:
        stock.waste(Context(session, OPERATOR, AT), "WH1", "bread", 48 - left)
    early, late = (later(days=2), later(days=3)) if left else (later(days=9), later(days=10))
    country.load(at=early)
    country.deliver(at=early)
    assert states(country) == ("accepted", "accepted"), "for a while it waits for all of it"
    country.load(at=late)
    country.deliver(at=late)
    if left:
        country.take_in("S1", at=late)
        country.deliver(at=late)
    assert states(country) == (("replaced",) * 2 if left else ("compensated",) * 2)
    assert owes(country) == (9 + left) * BREAD_MINOR
    assert country.findings() == []


def test_wrong_goods_stay_until_the_network_wants_them_back_and_are_credited_as_they_come(country):
    delivery = deliver_bread(country, counted=14, why="More than expected")
    file(country, delivery, ("bread", "over", 2), ("bread", "damaged", 1), wish="return")
    country.deliver()
    decide(country, {("bread", "over"): 2, ("bread", "damaged"): 1}, remedy="return")
    country.deliver()
    assert owes(country) == 13 * BREAD_MINOR, "the broken one is paid at once"
    with country.stores["S1"].write() as session:
        returns.send(Context(session, KEEPER["S1"], AT), "S1", CLAIM, {})
    country.deliver()
    assert states(country) == ("accepted", "accepted")
    with country.network.write() as session:
        (sent,) = supplier_returns.returns(session, "sent")
        returns.receive(Context(session, OPERATOR, AT), "S1", sent.id, {"bread": (2, 2)})
    country.deliver(seed=2)
    country.reapply()
    assert (states(country), owes(country)) == (("returned", "returned"), 11 * BREAD_MINOR)
    assert country.level("S1", "S1", "bread").on_hand == 11
    assert country.findings() == []


def days_pass(country: Country, days: int) -> None:
    """Let a night of both nodes go by, so many days later."""
    at = later(days=days)
    with country.stores["S1"].write() as session:
        returns.keep_unsent(Context(session, KEEPER["S1"], at), "S1")
    with country.network.write() as session:
        returns.end_overdue(Context(session, OPERATOR, at))
    country.deliver(at=at)


def test_goods_that_never_come_back_end_their_claim_without_money_and_stay_the_shop_s(country):
    delivery = deliver_bread(country, counted=14, why="More than expected")
    file(country, delivery, ("bread", "over", 2), ("bread", "damaged", 1), wish="return")
    country.deliver()
    decide(country, {("bread", "over"): 2, ("bread", "damaged"): 1}, remedy="return")
    country.deliver()
    days_pass(country, 14)
    with country.stores["S1"].read() as session:
        assert [one.id for one in supplier_returns.returns(session, "proposed")] == [CLAIM], "its last day"
    days_pass(country, 15)
    with (
        country.stores["S1"].write() as session,
        pytest.raises(Conflict, match="This return was already sent, or the products"),
    ):
        returns.send(Context(session, KEEPER["S1"], later(days=15)), "S1", CLAIM, {})
    days_pass(country, 28)
    assert states(country) == ("accepted", "accepted"), "the store's word may be on its way"
    days_pass(country, 29)
    days_pass(country, 30)
    country.reapply()
    assert states(country) == ("forfeited", "forfeited")
    assert (owes(country), country.level("S1", "S1", "bread").on_hand) == (13 * BREAD_MINOR, 13)
    with country.stores["S1"].write() as session, pytest.raises(Refused, match="no response to contest"):
        handling.contest(Context(session, KEEPER["S1"], later(days=30)), "S1", CLAIM, words="Too fast")
    assert country.findings() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_goods_handed_over_in_time_are_credited_though_the_word_came_after_the_claim_was_forfeited(country, seed):
    delivery = deliver_bread(country, counted=14, why="More than expected")
    file(country, delivery, ("bread", "over", 2), wish="return")
    country.deliver()
    decide(country, {("bread", "over"): 2}, remedy="return")
    country.deliver()
    with country.stores["S1"].write() as session:
        returns.send(Context(session, KEEPER["S1"], later(days=3)), "S1", CLAIM, {})
    with country.network.write() as session:  # the line was down all the time
        returns.end_overdue(Context(session, OPERATOR, later(days=29)))
    country.deliver(at=later(days=30), seed=seed)
    assert states(country) == ("forfeited", "forfeited")
    with country.network.write() as session:
        returns.receive(Context(session, OPERATOR, later(days=31)), "S1", CLAIM, {"bread": (2, 2)})
    country.deliver(at=later(days=31), seed=seed)
    assert (states(country), owes(country)) == (("returned", "returned"), 12 * BREAD_MINOR)
    assert country.findings() == []


def test_broken_units_of_goods_on_sale_or_return_are_the_network_s_loss(country):
    bring(country)
    with country.stores["S1"].read() as session:
        delivery = session.scalar(sa.select(Delivery.id))
    file(country, delivery, ("bread", "damaged", 2))
    country.deliver()
    with pytest.raises(Invalid, match="Consignment products were not charged"):
        decide(country, {("bread", "damaged"): 2}, remedy="replacement")
    decide(country, {("bread", "damaged"): 2})
    country.deliver()
    close(country, later(days=40))
    assert lots(country) == [(0, 0, 2, 10)] * 2
    assert owes(country) == 10 * BREAD_MINOR - 250
    assert country.findings() == []


def test_after_its_days_a_claim_is_refused_with_the_day_or_goes_as_goodwill(country):
    delivery = deliver_bread(country)
    with pytest.raises(Refused, match=r"ended on Mar 5, 2026\. Ask for goodwill") as refusal:
        file(country, delivery, ("bread", "damaged", 3), at=later(days=4))
    assert refusal.value.code == "claim-too-late"
    file(country, delivery, ("bread", "damaged", 3), at=later(days=4), goodwill=True)
    country.deliver()
    decide(country, {("bread", "damaged"): 2}, words="As goodwill")
    country.deliver()
    with country.stores["S1"].read() as session:
        kinds = [entry.kind for entry in ledger.entries_of(session, "S1")]
    assert ("goodwill" in kinds, "return" in kinds) == (True, False)
    assert owes(country) == 10 * BREAD_MINOR
    assert country.findings() == []


def test_the_network_judges_by_its_own_terms_whether_a_claim_is_late(country):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 1), at=later(days=9), claim_days=30)
    country.deliver()
    with country.network.read() as session:
        assert session.get(delivery_claims.Claim, ("S1", CLAIM)).late


def test_more_than_came_is_refused_and_moves_nothing(country):
    delivery = deliver_bread(country, counted=9)
    before = country.rows()
    for lines, sentence in [
        ([("bread", "damaged", 10)], "Rye bread: 9 arrived, so you can claim up to 9."),
        ([("bread", "damaged", 5), ("bread", "expired", 5)], "up to 9"),
        ([("bread", "short", 4)], "Rye bread: the count shows only 3 missing. You cannot claim more."),
        ([("bread", "over", 1)], "Rye bread: the count shows only 0 too many. You cannot claim more."),
        ([("bread", "damaged", 0)], "enter how many, 1 or more"),
        ([("milk", "damaged", 1)], "milk is not on this delivery"),
        ([], "Describe the problem with at least one product."),
    ]:
        with pytest.raises(DomainError, match=sentence):
            file(country, delivery, *lines)
        assert country.rows() == before, sentence


def test_what_was_claimed_before_is_not_claimed_again_and_the_same_command_is_one_claim(country):
    delivery = deliver_bread(country)
    for _ in range(2):
        file(country, delivery, ("bread", "damaged", 8))
    with pytest.raises(Refused, match="4 arrived, so you can claim up to 4"):
        file(country, delivery, ("bread", "wrong", 5), id="claim-00002")
    country.deliver()
    with country.network.read() as session:
        assert [one.claim_no for one in delivery_claims.claims_in(session, ["filed"])] == [1]


def test_a_claim_after_its_settlement_and_the_payment_is_refused_with_a_sentence_and_changes_nothing(country):
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 3))
    country.deliver()
    decide(country, {("bread", "damaged"): 3})
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, AT), "S1", 9 * BREAD_MINOR, reference="bank-1", id="paid-1")
    country.deliver()
    assert (states(country), owes(country)) == (("compensated", "compensated"), 0)
    before = country.rows()
    with pytest.raises(Refused, match="Rye bread: 9 arrived, so you can claim up to 9"):
        file(country, delivery, ("bread", "damaged", 10), id="claim-00002")
    with pytest.raises(Refused, match=r"ended on Mar 5, 2026\. Ask for goodwill"):
        file(country, delivery, ("bread", "damaged", 1), at=later(days=4), id="claim-00002")
    with country.stores["S1"].write() as session, pytest.raises(Refused, match="There is no response to contest"):
        handling.contest(
            Context(session, KEEPER["S1"], AT), "S1", CLAIM, words="The image would be too faint on paper. Use a"
        )
    with pytest.raises(DomainError) as answered:
        decide(country, {("bread", "damaged"): 1}, words="Less after all")
    assert str(answered.value).endswith(".")
    assert country.rows() == before


def test_a_claim_for_goods_that_were_paid_for_gives_the_money_back(country):
    delivery = deliver_bread(country)
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, AT), "S1", 12 * BREAD_MINOR, reference="bank-1", id="paid-1")
    country.deliver()
    assert owes(country) == 0
    file(country, delivery, ("bread", "damaged", 3))
    country.deliver()
    decide(country, {("bread", "damaged"): 3})
    country.deliver()
    assert owes(country) == -3 * BREAD_MINOR, "the network owes the store"
    assert country.findings() == []


def test_a_delivery_that_is_not_posted_or_another_shop_s_cannot_be_complained_of(country):
    country.order("S1", {"bread": 1})
    country.send_out()
    with pytest.raises(Refused, match="Count and post this delivery first"):
        file(country, country.delivery("S1"), ("bread", "damaged", 1))
    elsewhere = country.delivery("S1")
    asked = handling.ClaimRequest(elsewhere, [("bread", "damaged", 1)], wish="money")
    with (
        country.stores["S2"].write() as session,
        pytest.raises(NotFound, match="Delivery not found at this store"),
    ):
        handling.file(Context(session, KEEPER["S2"], AT), "S2", asked, id="c")


def test_a_claim_to_an_own_supplier_is_a_message_and_its_answer_is_written_down(country):
    with country.stores["S1"].write() as session:
        farm = session.get(Supplier, FARM)
        farm.send_by, farm.email = "email", "farm@example.org"
    country.order("S1", {"bread": 1}, supplier=FARM)
    delivery = country.take_in("S1", [("bread", 4, "Missing")])
    file(country, delivery, ("bread", "short", 2))
    with country.stores["S1"].write() as session:
        message = supplier_messages.message_of(session, "S1", CLAIM)
        assert (message.kind, message.email, message.body["lines"][0]["qty"]) == ("claim", "farm@example.org", 2)
        made = handling.answered_by_supplier(
            Context(session, KEEPER["S1"], AT), "S1", CLAIM, {("bread", "short"): 2}, remedy="money"
        )
        assert (made.state, made.granted_minor) == ("compensated", 2 * BREAD_MINOR)
        topics = set(session.scalars(sa.select(OutboxMessage.topic)))
        assert not {topic for topic in topics if topic.startswith("claim.")}


def test_what_an_own_supplier_billed_too_much_is_claimed_in_money_whenever_the_invoice_comes(country):
    country.order("S1", {"bread": 1}, supplier=FARM)
    delivery = country.take_in("S1")
    assert file(country, delivery, at=later(days=60), billed={"bread": (6, 80), "milk": (0, 10)}) == "filed"
    with country.stores["S1"].write() as session:
        claim = session.get_one(delivery_claims.Claim, ("S1", CLAIM))
        assert (claim.late, claim.claimed_minor) == (False, 80)
        half = handling.answered_by_supplier(
            Context(session, KEEPER["S1"], AT), "S1", CLAIM, {("bread", "billed"): 3}, remedy="money", words="Half"
        )
        assert half.granted_minor == 40
    file(country, delivery, ("bread", "damaged", 6), id="claim-00002")  # money claimed bounds no goods


def test_the_network_bills_by_the_count_and_hears_no_claim_about_an_invoice(country):
    delivery = deliver_bread(country)
    with pytest.raises(Refused, match="The network bills what you counted"):
        file(country, delivery, billed={"bread": (6, 80)})


@cache
def a_photo(side: int = 2400, kind: str = "JPEG") -> bytes:
    picture = Image.effect_noise((side, side), 90).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    page = io.BytesIO()
    picture.save(page, kind, exif=exif, quality=95)
    return page.getvalue()


@pytest.mark.parametrize("seed", [None, 1, 5])
def test_a_photo_is_made_small_loses_what_it_told_and_arrives_in_pieces(country, seed):
    raw = a_photo()
    made = next(pictures.small(raw, photos.SIDE))
    assert b"secret place" in raw
    assert b"secret place" not in made
    assert len(made) < 700_000
    assert max(Image.open(io.BytesIO(made)).size) == photos.SIDE
    delivery = deliver_bread(country)
    file(country, delivery, ("bread", "damaged", 3), photos=1)
    with country.stores["S1"].write() as session:
        photos.keep(session, "S1", CLAIM, [made])
        photos.send(session, "S1", CLAIM, at=AT)
        assert max(session.scalars(sa.select(sa.func.length(OutboxMessage.body)))) < 250_000
    country.deliver(seed=seed)
    country.reapply()
    with country.network.read() as session:
        (photo,) = photos.photos_of(session, "S1", CLAIM)
        assert photos.photo_of(session, "S1", photo.id) == made
        assert session.scalar(sa.select(sa.func.count()).select_from(ClaimPhotoPiece)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(ClaimPhoto)) == 1


@pytest.mark.parametrize("raw", [b"", b"<svg/>", b"GIF89a" + b"0" * 50, b"\xff\xd8\xff" + b"0" * 90, b"0" * 8_000_001])
def test_what_is_no_photo_is_refused_with_a_sentence(raw):
    with pytest.raises(Invalid) as refusal:
        next(pictures.small(raw, photos.SIDE))
    assert refusal.value.code in ("no-photo", "photo-too-large")


@pytest.mark.postgres
def test_a_network_on_postgresql_keeps_claims_photos_returns_and_lots_all_the_same(tmp_path, postgres_database):
    country = make_country(tmp_path, postgres_database)
    bring(country)
    with country.stores["S1"].read() as session:
        delivery = session.scalar(sa.select(Delivery.id))
    file(country, delivery, ("bread", "wrong", 2), ("bread", "damaged", 1), photos=1)
    with country.stores["S1"].write() as session:
        photos.keep(session, "S1", CLAIM, [next(pictures.small(a_photo(), photos.SIDE))])
        photos.send(session, "S1", CLAIM, at=AT)
    country.deliver(seed=3)
    with country.network.read() as session:
        assert [one.claim_no for one in delivery_claims.claims_in(session, ["filed"])] == [1]
        assert photos.photos_of(session, "S1", CLAIM)[0].data
    decide(country, {("bread", "wrong"): 2, ("bread", "damaged"): 1}, remedy="return")
    country.deliver(seed=4)
    with country.stores["S1"].write() as session:
        returns.send(Context(session, KEEPER["S1"], AT), "S1", CLAIM, {})
    country.deliver(seed=5)
    with country.network.write() as session:
        (sent,) = supplier_returns.returns(session, "sent")
        returns.receive(Context(session, OPERATOR, AT), "S1", sent.id, {"bread": (2, 2)})
    close(country, later(days=40), seed=6)
    assert states(country) == ("returned", "returned")
    assert lots(country) == [(0, 0, 3, 9)] * 2
    assert owes(country) == 9 * BREAD_MINOR - 250
    with country.network.write() as session:
        (one,) = offer_results.summaries(session)
        pushed = offer_results.push_of(session, one.id)
        assert (pushed.came_qty, pushed.sold_qty, pushed.count("accepted")) == (12, 0, 1)
        assert offer_results.look_after(Context(session, OPERATOR, later(days=41))) == 0
    assert country.findings() == []


WALK = st.lists(
    st.tuples(
        st.sampled_from(["damaged", "wrong", "short", "over", "expired"]), st.integers(1, 5), st.integers(0, 5),
        st.sampled_from(sorted(delivery_claims.REMEDIES)), st.booleans(),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@settings(max_examples=6)
@given(steps=WALK, counted=st.integers(8, 14), seed=st.integers(0, 99))
def test_no_walk_of_claims_credits_more_than_was_charged_or_unbalances_the_ledger(
    tmp_path_factory, steps, counted, seed
):
    country = make_country(tmp_path_factory.mktemp("walk"))
    delivery = deliver_bread(country, counted=counted, why="Counted")
    for n, (kind, qty, grant, remedy, contests) in enumerate(steps):
        claim_id = f"claim-{n}"
        try:
            file(country, delivery, ("bread", kind, qty), id=claim_id)
        except (Refused, Invalid):
            continue
        country.deliver(seed=seed)
        rounds = [(grant, remedy), (qty, "money")][: 1 + contests]
        for given_qty, way in rounds:
            try:
                with country.network.write() as session:
                    handling.decide(
                        Context(session, OPERATOR, AT),
                        "S1",
                        claim_id,
                        {("bread", kind): min(qty, given_qty)},
                        remedy=way,
                        words="So be it",
                    )
                country.deliver(seed=seed)
                with country.stores["S1"].write() as session:
                    handling.contest(Context(session, KEEPER["S1"], AT), "S1", claim_id, words="Please")
            except (Refused, Conflict, Invalid):
                break
            country.deliver(seed=seed)
        assert 0 <= owes(country) <= counted * BREAD_MINOR
    country.reapply()
    assert country.findings() == []
    for database in country.nodes().values():
        database.engine.dispose()
