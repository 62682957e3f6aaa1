"""A receipt by e-mail: asked for at the till or on its page, sent when there is a line, and the address forgotten."""

import datetime as dt
import email
from email import policy

import pytest
import sqlalchemy as sa

from config.nodes.journal import Actor, Context, JournalEntry
from pos import messages
from pos.catalogue import catalogue
from pos.documents import pdf, receipt
from pos.messages import OutgoingMessage
from pos.payments import vouchers
from pos.reports import receipt_mail
from store_app.mail import receipts, sending
from store_app.mail.carriers import SmtpCarrier
from tests.store_app.api.test_counter import BACK, SALE, WISH, body, store  # noqa: F401  the till
from tests.store_app.conftest import NOON, STORE, post
from tests.store_app.office import words

ADDRESS = f"/api/receipts/{SALE}/mail"
ACTOR = Actor.system("messages", STORE)
LI = "li.wei+store@mail.example.com"


@pytest.fixture
def sold(store):  # noqa: F811
    """Give the cashier's browser after a sale."""
    assert store.post("/api/sales", json=body()).status_code == 201
    return store


def mailed(house):
    with house.doors.read() as session:
        return mailed_now(session)


def test_a_receipt_leaves_once_with_its_pdf_and_its_address_is_forgotten(house, sold, mail_server):
    carrier, kept, _ = mail_server
    for _press in range(2):
        assert sold.post(ADDRESS, json={"id": WISH, "email": LI}).status_code == 200
    assert [row.email for row in mailed(house)] == [LI]
    assert "Waiting to be sent" in words(sold.get(f"/money/receipts/{SALE}"))
    assert sending.send_due(house.doors, [carrier]) == (1, 0)
    assert sending.send_due(house.doors, [carrier]) == (0, 0)
    mail = email.message_from_bytes(kept[0], policy=policy.default)
    assert (mail["To"], mail["Subject"]) == (LI, "Your receipt from Store S01")
    assert "$2.58" in mail.get_body().get_content()
    [file] = mail.iter_attachments()
    assert (file.get_filename(), file.get_content()[:5]) == ("receipt-000001.pdf", b"%PDF-")
    [row] = mailed(house)
    assert (row.state, row.email) == ("sent", "")
    with house.doors.read() as session:
        journal = {entry.verb: entry.body for entry in session.scalars(sa.select(JournalEntry))}
    assert "receipt.mail_asked" in journal
    assert "li.wei" not in "".join(journal.values())
    page = words(sold.get(f"/money/receipts/{SALE}"))
    assert "Sent," in page
    assert LI not in page


def test_a_message_waits_while_there_is_no_line_and_is_given_up_after_a_day(house, sold):
    away = SmtpCarrier("smtp://127.0.0.1:9?from=store@example.com")
    sold.post(ADDRESS, json={"id": WISH, "email": LI})
    assert sending.send_due(house.doors, [away]) == (0, 1)
    assert sending.send_due(house.doors, [away]) == (0, 0)  # not again at once
    assert "It will be retried" in words(sold.get(f"/money/receipts/{SALE}"))
    at = NOON
    with house.doors.write() as session:
        (row,) = mailed_now(session)
        while row.state == "waiting":
            at = row.try_at
            messages.failed(Context(session, ACTOR, at), row, "unreachable", "no line")
    assert dt.timedelta(hours=20) < at - NOON < dt.timedelta(hours=30)
    assert mailed(house)[0].email == ""
    assert "Send the message again, or print it." in words(sold.get(f"/money/receipts/{SALE}"))


def test_a_refused_address_is_said_and_not_tried_again(house, sold, mail_server):
    carrier, _, state = mail_server
    state["answer"] = b"550 no such person"
    sold.post(ADDRESS, json={"id": WISH, "email": LI})
    assert sending.send_due(house.doors, [carrier]) == (0, 1)
    assert (mailed(house)[0].state, mailed(house)[0].email) == ("failed", "")
    assert "refused the address" in words(sold.get(f"/money/receipts/{SALE}"))


@pytest.mark.parametrize(
    "typed",
    ["li", "li@", "@x.example", "a b@x.example", "a@x.example\r\nBcc: b@x.example", "a@x", "ä@x.example",
     "a@x..example", "a@b.example,c@d.example", "<a@b.example>", "x" * 65 + "@y.example"],
)  # fmt: skip
def test_what_is_no_address_is_a_sentence(house, sold, typed: str):
    answer = sold.post(ADDRESS, json={"id": WISH, "email": typed})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "no-mail-address")
    assert mailed(house) == []


def test_a_receipt_goes_by_mail_five_times_and_only_where_there_is_one(sold):
    assert sold.post(f"/api/receipts/{BACK}/mail", json={"id": WISH, "email": LI}).status_code == 404
    codes = [sold.post(ADDRESS, json={"id": WISH[:-1] + str(n), "email": LI}).status_code for n in range(6)]
    assert codes == [200] * receipt_mail.MOST + [409]


def test_a_shop_without_a_mail_server_says_so_and_offers_nothing(build):
    client = build(notify="https://phones.example").signed_in()
    refused = post(client, f"/slips/mail/{SALE}", command_id=WISH, email=LI)
    assert refused.status_code in (404, 409)
    assert '"mail": false' in client.get("/till/").text


def test_the_page_of_a_receipt_sends_it_too(house, sold):
    answer = post(sold, f"/slips/mail/{SALE}", command_id=WISH, email="nobody")
    assert (answer.status_code, "li@example.com" in words(answer)) == (422, True)
    assert post(sold, f"/slips/mail/{SALE}", command_id=WISH, email=LI).status_code == 303
    assert len(mailed(house)) == 1


def test_of_a_voucher_the_message_shows_the_end_of_the_code_alone(house, store):  # noqa: F811
    actor = Actor.system("test", STORE)
    with house.doors.write() as session:
        wishes = {"kind": "voucher", "price_typed": True}
        catalogue.add_product(
            Context(session, actor, NOON), "GIFT", "Gift", category="x", tax_class_id="food", **wishes
        )
        catalogue.set_price(Context(session, actor, NOON), "GIFT", 1, dt.date(2026, 3, 1))
        catalogue.list_product(Context(session, actor, NOON), STORE, "GIFT")
    gift = [{"sku": "GIFT", "qty": 1, "price_minor": 258}]
    document = store.post("/api/sales", json=body(lines=gift)).get_json()["document"]
    assert store.post(ADDRESS, json={"id": WISH, "email": LI}).status_code == 200
    with house.doors.read() as session:
        message = receipts.written(session, mailed_now(session)[0])
    lines = [receipt.layout(given, columns=pdf.COLUMNS) for given in (vouchers.masked(document), document)]
    masked, whole = (pdf.document_pages(one, message.subject) for one in lines)
    assert message.files[0][2] == masked != whole


def mailed_now(session):
    return list(session.scalars(sa.select(OutgoingMessage)))
