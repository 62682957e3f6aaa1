"""`cornerstore verify` finds every way of tampering with the books, by raw SQL as a thief would, and says where."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.database import Database, make_engine
from config.nodes import inbox, journal
from config.nodes.journal import GENESIS, Actor, Context, JournalEntry
from config.nodes.outbox import Message
from pos.store import badges
from pos.sync import sealed
from pos.till import shift_book
from store_app.commands.cli import main
from store_app.node import verifying
from store_app.node.verifying import Anchor
from store_app.web import staff
from tests.arriving import content_hash
from tests.builders import NOON, STORE, OpenStore, open_store
from tests.store_app.api import test_payments as payments
from tests.tampering import thief, unlocked

ONE_LINE_MORE = """
INSERT INTO sale_line (store_id, sale_id, n, sku, name, stock_unit, qty, unit_price_minor, price_quantity,
    discount_minor, offer, total_minor, net_minor, tax_minor, tax_class_id, rate_bp, business_day)
SELECT store_id, sale_id, 3, sku, name, stock_unit, qty, unit_price_minor, price_quantity, 0, '', 0, 0, 0,
    tax_class_id, rate_bp, business_day FROM sale_line WHERE sale_id = :id AND n = 1
"""


@pytest.fixture(scope="module")
def traded(tmp_path_factory) -> OpenStore:
    """Give a store with two closed shifts and one open, sales in each, and one return."""
    store = open_store(tmp_path_factory.mktemp("traded"))
    for n in range(2):
        first = store.sell([("milk", 3), ("wine", 1)], cash_minor=2000)
        store.sell([("bread", 1)], tenders=[("card", 349, f"slip {n}")])
        store.take_back(first.sale.id, [(1, 1)])
        store.close_till()
        store.open_till()
    store.sell([("tea", 2)])
    return store


@pytest.fixture
def store(traded: OpenStore, tmp_path) -> Iterator[OpenStore]:
    """Give a copy of the store that may be spoilt."""
    path = tmp_path / "spoilt.db"
    with sqlite3.connect(path) as copy, sqlite3.connect(str(traded.database.engine.url.database)) as source:
        source.backup(copy)
    copy.close()
    store = OpenStore(Database(make_engine(f"sqlite:///{path}")), traded.clock)
    yield store
    store.database.engine.dispose()


def spoil(store: OpenStore, *statements: str, **values: object) -> None:
    with thief(store.database) as connection:
        for statement in statements:
            connection.execute(statement, values)


def ask(store: OpenStore, query: str, **values: object) -> list[sa.Row]:
    with store.database.engine.connect() as connection:
        return list(connection.execute(sa.text(query), values))


def verified(store: OpenStore, *outside: Anchor) -> verifying.Report:
    return store.read(lambda session: verifying.verify_in(session, STORE, outside))


def faults(store: OpenStore, *outside: Anchor) -> str:
    return "\n".join(verified(store, *outside).faults)


def a_sale(store: OpenStore, receipt_no: int) -> sa.Row:
    (row,) = ask(store, "SELECT id, receipt_no FROM sale WHERE receipt_no = :no", no=receipt_no)
    return row


def entry_of(store: OpenStore, subject: str) -> int:
    return int(ask(store, "SELECT max(n) AS n FROM journal_entry WHERE subject = :subject", subject=subject)[0].n)


def last_entry(store: OpenStore) -> int:
    return int(ask(store, "SELECT max(n) AS n FROM journal_entry")[0].n)


def test_honest_books_are_whole_and_all_sales_are_sealed(traded):
    report = verified(traded)
    assert report.faults == []
    assert (report.sales, report.sealed, report.shifts) == (7, 7, 2)
    assert report.entries == last_entry(traded)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("total_minor", 1),
        ("lines_minor", 1),
        ("tax_minor", 0),
        ("rounding_minor", 5),
        ("receipt_no", 99),
        ("cashier_name", "Nobody"),
        ("business_day", "2026-03-01"),
        ("completed_at", "2026-03-02 12:00:00.000001"),
        ("till_id", "T2"),
        ("shift_id", "another"),
        ("state", "voided"),
        ("customer_id", "somebody"),
        ("age_checked", 99),
        ("note", "x"),
    ],
)
def test_an_edited_sale_is_named_with_its_receipt_and_its_entry(store, column, value):
    sale = a_sale(store, 4)
    spoil(store, f"UPDATE sale SET {column} = :value WHERE id = :id", value=value, id=sale.id)
    said = faults(store)
    assert f"entry {entry_of(store, f'sale:{sale.id}')}" in said
    assert sale.id in said
    assert "2026-03-02 12:00:00 UTC" in said
    assert column in said or column == "state"


@pytest.mark.parametrize(
    ("column", "value"),
    [("total_minor", 1), ("qty", 1), ("unit_price_minor", 128), ("tax_minor", 0), ("sku", "tea"), ("rate_bp", 0),
     ("discount_minor", 5), ("name", "Milk"), ("reason", "because"), ("batch", "L1"), ("expires_on", "2026-04-01"),
     ("cost_minor", 7), ("price_type", "override")],
)  # fmt: skip
def test_an_edited_line_is_named_with_the_value_that_was_sealed(store, column, value):
    sale = a_sale(store, 4)
    before = ask(store, f"SELECT {column} AS kept FROM sale_line WHERE sale_id = :id AND n = 1", id=sale.id)[0].kept
    spoil(store, f"UPDATE sale_line SET {column} = :value WHERE sale_id = :id AND n = 1", value=value, id=sale.id)
    said = faults(store)
    assert f"Receipt 4 of till T1 (entry {entry_of(store, f'sale:{sale.id}')}" in said
    assert f"line 1: {column} is {value!r}, was {before!r}" in said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("UPDATE payment SET amount_minor = amount_minor - 100 WHERE sale_id = :id AND NOT is_change", "payment"),
        ("UPDATE payment SET tender = 'card' WHERE sale_id = :id AND NOT is_change", "tender is 'card', was 'cash'"),
        ("UPDATE payment SET state = 'declined' WHERE sale_id = :id AND is_change", "is gone"),
        ("UPDATE payment SET is_change = 0 WHERE sale_id = :id", "is_change is False, was True"),
        ("DELETE FROM payment WHERE sale_id = :id AND is_change", "is gone"),
        ("UPDATE cash_movement SET amount_minor = 1 WHERE source_id = :id AND kind = 'sale'", "amount_minor is 1, was"),
        ("DELETE FROM cash_movement WHERE source_id = :id AND kind = 'change'", "is gone"),
        ("UPDATE cash_movement SET shift_id = 'x' WHERE source_id = :id", "lies in another shift"),
        ("UPDATE sale_line SET business_day = '2020-01-01' WHERE sale_id = :id", "lies on another day"),
        ("UPDATE cash_movement SET actor_id = 'x' WHERE source_id = :id", "with another person"),
        ("DELETE FROM sale_line WHERE sale_id = :id AND n = 2", "line 2 is gone"),
        (ONE_LINE_MORE, "line 3 was put in"),
    ],
)
def test_money_and_lines_cannot_be_changed_beside_their_sale(store, what, said):
    sale = a_sale(store, 4)
    spoil(store, what, id=sale.id)
    found = faults(store)
    assert "Receipt 4 of till T1" in found
    assert said in found


def test_two_sales_that_changed_places_are_both_named(store):
    one, other = a_sale(store, 2), a_sale(store, 5)
    spoil(store, "UPDATE sale_line SET sale_id = 'aside' WHERE sale_id = :one",
          "UPDATE sale_line SET sale_id = :one WHERE sale_id = :other",
          "UPDATE sale_line SET sale_id = :other WHERE sale_id = 'aside'",
          "UPDATE sale SET total_minor = 1 WHERE id IN (:one, :other)", one=one.id, other=other.id)  # fmt: skip
    found = faults(store)
    assert "Receipt 2 of till T1" in found
    assert "Receipt 5 of till T1" in found


def test_a_sale_taken_out_is_missed_with_its_number(store):
    sale = a_sale(store, 4)
    tables = ("sale_line", "payment")
    spoil(store, *(f"DELETE FROM {table} WHERE sale_id = :id" for table in tables),
          "DELETE FROM cash_movement WHERE source_id = :id", "DELETE FROM sale WHERE id = :id",
          "DELETE FROM outbox_message WHERE id = :id", id=sale.id)  # fmt: skip
    assert faults(store) == (
        f"Receipt 4 (entry {entry_of(store, f'sale:{sale.id}')}, 2026-03-02 12:00:00 UTC) is in the journal, but was "
        f"taken out of the books (sale {sale.id})"
    )


def test_what_a_removed_sale_left_behind_is_named(store):
    sale = a_sale(store, 4)
    spoil(store, "DELETE FROM sale WHERE id = :id", id=sale.id)
    found = faults(store)
    for said in ("was taken out of the books", "yet a line of it does (1, 2)", "yet a payment", "yet a cash movement"):
        assert said in found


def test_a_sale_put_in_beside_the_till_is_named(store):
    columns = ask(store, "SELECT * FROM sale WHERE receipt_no = 7")[0]._mapping
    names = ", ".join(columns)
    values = ", ".join({"id": "'forged-sale'", "receipt_no": "70"}.get(name, name) for name in columns)
    spoil(store, f"INSERT INTO sale ({names}) SELECT {values} FROM sale WHERE receipt_no = 7")
    assert faults(store) == (
        "Receipt 70 of till T1 (2026-03-02 12:00:00 UTC) is not in the journal: it was put in beside the till "
        "(sale forged-sale)"
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [("body", "{}"), ("actor_name", "Eve"), ("verb", "sale.forgotten"), ("subject", "sale:x"),
     ("at", "2026-01-01 00:00:00.000000")],
)  # fmt: skip
def test_an_edited_entry_is_named(store, column, value):
    n = entry_of(store, f"sale:{a_sale(store, 4).id}")
    spoil(store, f"UPDATE journal_entry SET {column} = :value WHERE n = :n", value=value, n=n)
    assert f"Entry {n} was changed after it was written" in faults(store)


def test_a_deleted_entry_is_missed(store):
    sale = a_sale(store, 4)
    n = entry_of(store, f"sale:{sale.id}")
    spoil(store, "DELETE FROM journal_entry WHERE n = :n", n=n)
    found = faults(store)
    assert f"Entry {n} is missing" in found
    assert f"(sale {sale.id})" in found, "and the sale it told of is now in no entry"


def test_two_entries_that_changed_places_are_named(store):
    spoil(store, "UPDATE journal_entry SET n = -1 WHERE n = 4", "UPDATE journal_entry SET n = 4 WHERE n = 6",
          "UPDATE journal_entry SET n = 6 WHERE n = -1")  # fmt: skip
    assert "Entries 4 to 7 were changed, swapped or put in" in faults(store)


def test_an_entry_put_in_between_is_named(store):
    last = last_entry(store)
    for n in range(last, 5, -1):
        spoil(store, "UPDATE journal_entry SET n = n + 1 WHERE n = :n", n=n)
    spoil(store, "INSERT INTO journal_entry SELECT node_id, 6, at, actor_id, actor_name, verb, subject, body, hash "
                "FROM journal_entry WHERE n = 5", "UPDATE journal_head SET n = n + 1")  # fmt: skip
    assert f"Entries 6 to {last + 1} were changed, swapped or put in" in faults(store)


def test_a_cut_off_tail_shows_at_the_head(store):
    last = last_entry(store)
    spoil(store, "DELETE FROM journal_entry WHERE n > :n", n=last - 2)
    assert f"The journal ends at entry {last - 2}, but its head is at entry {last}" in faults(store)


def cut_and_rewind(store: OpenStore, n: int) -> None:
    spoil(store, "DELETE FROM journal_entry WHERE n > :n",
          "UPDATE journal_head SET n = :n, hash = (SELECT hash FROM journal_entry WHERE n = :n)", n=n)  # fmt: skip


def test_a_tail_cut_off_with_its_head_is_missed_by_whoever_remembers_the_end(store):
    """The sale's own rows are removed too, so that only an anchor can tell."""
    last = last_entry(store)
    (kept,) = ask(store, "SELECT hash FROM journal_entry WHERE n = :n", n=last)
    sale = a_sale(store, 7)
    spoil(store, *(f"DELETE FROM {table} WHERE sale_id = :id" for table in ("sale_line", "payment")),
          "DELETE FROM cash_movement WHERE source_id = :id", "DELETE FROM sale WHERE id = :id",
          "UPDATE receipt_counter SET last_no = 6", id=sale.id)  # fmt: skip
    cut_and_rewind(store, last - 1)
    assert verified(store).faults == []
    found = faults(store, Anchor(last, kept.hash, "the network (heard at noon)"))
    assert found == f"Entry {last} is missing: the tail was cut off. The network (heard at noon) remembers entry {last}"


def test_a_z_report_remembers_the_entries_before_it(store):
    """Everything after the first sale is cut off with the head; the Z reports still know how far the journal went."""
    cut_and_rewind(store, 3)
    found = faults(store)
    assert "the tail was cut off. Z 1 of Till 1 (2026-03-02) remembers entry" in found
    assert "Z 2 of Till 1 (2026-03-02) remembers entry" in found


def rewrite(store: OpenStore, n: int, body: str) -> None:
    """Change an entry and make the whole chain after it fit again, head included."""
    with store.write() as session, unlocked(session):
        rows = session.scalars(sa.select(JournalEntry).order_by(JournalEntry.n)).all()
        before = GENESIS
        for row in rows:
            if row.n == n:
                row.body = body
            row.hash = before = journal._hash_of(row, before)
        session.execute(sa.text("UPDATE journal_head SET hash = :hash"), {"hash": before})


def test_a_chain_written_anew_does_not_fit_what_z_and_network_remember(store):
    last = last_entry(store)
    (kept,) = ask(store, "SELECT hash FROM journal_entry WHERE n = :n", n=last)
    shifts = store.read(lambda session: session.scalars(sa.select(shift_book.Shift)).all())
    anchored = [row.z_report["journal"]["n"] for row in shifts if row.z_report]
    between = anchored[0] + 4
    rewrite(store, between, '{"receipt_no":4}')
    found = faults(store, Anchor(last, kept.hash, "the network"))
    assert (
        f"The journal was written again after entry {anchored[0]} and up to entry {anchored[1]}: "
        "Z 2 of Till 1 (2026-03-02) remembers another entry"
    ) in found
    assert f"up to entry {last}: the network remembers another entry {last}" in found


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE shift SET counted_minor = 0 WHERE z_no = 1",
        "UPDATE shift SET over_short_minor = 7 WHERE z_no = 1",
        "UPDATE shift SET z_report = replace(z_report, 'Ana', 'Bob') WHERE z_no = 1",
        "UPDATE shift SET z_report = json_set(z_report, '$.total_minor', 1) WHERE z_no = 1",
        "UPDATE shift SET z_report = json_set(z_report, '$.hash', 'x') WHERE z_no = 1",
        "UPDATE shift SET z_report = json_set(z_report, '$.journal.n', 2) WHERE z_no = 1",
    ],
)
def test_a_frozen_z_cannot_be_changed_unseen(store, what):
    spoil(store, what)
    assert "Z 1 of Till 1 (2026-03-02) was changed after it was closed (entry " in faults(store)


def test_a_z_taken_out_or_put_in_is_named(store):
    spoil(store, "DELETE FROM shift WHERE z_no = 1")
    assert "Z 1 is in the journal (entry" in faults(store)
    names = ", ".join(column.name for column in shift_book.Shift.__table__.columns)
    forged = names.replace("id,", "'forged',", 1) if names.startswith("id,") else names.replace(" id,", " 'forged',")
    spoil(store, f"INSERT INTO shift ({names}) SELECT {forged.replace('z_no', '9')} FROM shift WHERE z_no = 2")
    assert "Z 9 of Till 1 (2026-03-02) is not in the journal: it was put in" in faults(store)


def test_a_receipt_number_that_was_given_and_is_gone_is_missed(store):
    spoil(store, "UPDATE receipt_counter SET last_no = 9")
    assert "Receipts 8 to 9 of till T1 were given, but not in the books" in faults(store)


def test_sales_from_before_there_were_seals_still_have_to_fit_their_entries(store):
    sale = a_sale(store, 7)
    n = last_entry(store)
    rewrite(store, n, '{"lines":1,"receipt_no":7,"total_minor":900}')
    assert verified(store).faults == []
    assert verified(store).sealed == 6
    spoil(store, "UPDATE sale SET total_minor = 1 WHERE id = :id", id=sale.id)
    assert "total_minor is 1, was 900" in faults(store)


def test_a_changed_sale_whose_document_was_changed_too_is_still_found(store):
    sale = a_sale(store, 4)
    spoil(store, "UPDATE sale SET total_minor = 1 WHERE id = :id",
          "UPDATE outbox_message SET body = replace(body, '\"total_minor\"', '\"total_minor\" ') WHERE id = :id",
          "UPDATE outbox_message SET body = json_set(body, '$.total_minor', 1) WHERE id = :id", id=sale.id)  # fmt: skip
    assert "was changed, and its document too" in faults(store)


def test_many_faults_are_counted_but_not_all_told(store, monkeypatch):
    monkeypatch.setattr(verifying, "MOST_FAULTS", 3)
    spoil(store, "UPDATE sale_line SET name = 'x'")
    report = verified(store)
    assert (len(report.faults), report.more) == (3, 4)


def test_times_and_days_of_either_database_are_read_the_same(store):
    """A driver may hand over dates, PostgreSQL's does: seals are over their text."""
    assert sealed._day(dt.date(2026, 3, 2)) == "2026-03-02"
    assert sealed._instant(NOON) == "2026-03-02 12:00:00.000000"
    assert verifying._instant(NOON) == "2026-03-02T12:00:00.000000+00:00"


def test_a_sale_paid_through_a_provider_is_sealed_with_the_payment_it_claimed_and_no_other(build):
    house = build(payment_service="practice-scripted")
    payments.stock_milk(house)
    till = payments.browser(house)
    till.post("/api/shifts", json={"till_id": "1", "float_minor": 5000})
    sale_id = payments.new_id()
    given_up = till.post("/api/payments", json=payments.wish(300, sale_id=sale_id)).json
    till.post(f"/api/payments/{given_up['id']}/cancel", json={})
    paid = payments.take(till, 300, sale_id=sale_id)
    assert payments.sell(till, sale_id, paid).status_code == 201
    report = verifying.verify(house.doors)
    assert (report.faults, report.sealed) == ([], 1)
    with thief(house.doors.database) as connection:
        connection.execute("UPDATE payment SET claimed_by = NULL WHERE id = ?", (paid["id"],))
    assert "is gone" in verifying.verify(house.doors).faults[0]


def test_a_tail_cut_off_is_said_by_the_command_with_exit_1(build):
    house = build()
    with house.doors.write() as session:
        journal.record(Context(session, Actor.system("t", STORE), NOON), verb="done", subject="thing:1")
    with thief(house.doors.database) as connection:
        connection.execute("DELETE FROM journal_entry WHERE n > 1")
    environment = {
        "CORNERSTORE_ROLE": "store",
        "CORNERSTORE_NODE_ID": STORE,
        "CORNERSTORE_STATE_FOLDER": str(house.doors.settings.state_folder),
        "CORNERSTORE_PRACTICE": "true",
    }
    result = CliRunner().invoke(main, ["verify", "--alone"], env=environment)
    assert result.exit_code == 1
    assert "The journal ends at entry 1, but its head is at entry" in result.output
    assert "1 entries, 0 sales (0 sealed)" in result.output


HASHED = {
    "sale": {"id", "till_id", "shift_id", "epoch", "receipt_no", "state", "kind", "channel", "business_day",
             "completed_at", "cashier_id", "cashier_name", "currency", "lines_minor", "rounding_minor", "total_minor",
             "tax_minor", "age_checked", "note", "request_hash", "store_id"},
    "sale_line": {"store_id", "sale_id", "n", "sku", "name", "stock_unit", "qty", "unit_price_minor", "price_quantity",
                  "discount_minor", "offer", "total_minor", "net_minor", "tax_minor", "tax_class_id", "rate_bp",
                  "kind", "list_price_minor", "price_type", "manual_discount_minor", "reason", "note", "business_day"},
    "payment": {"store_id", "id", "sale_id", "tender", "amount_minor", "is_change", "state", "reference", "at"},
    "cash_movement": {"store_id", "id", "shift_id", "kind", "amount_minor", "source_id", "at", "actor_id"},
    "journal_entry": {"node_id", "n", "at", "actor_id", "actor_name", "verb", "subject", "body", "hash"},
    "journal_head": {"node_id", "n", "hash"},
    "outbox_message": {"id", "topic", "version", "made_at", "business_day", "body", "hash", "head"},
    "inbox_message": {"id", "topic", "version", "made_at", "business_day", "body", "hash"},
    "staff": {"node_id", "id", "name", "role", "pin_hash", "active", "badge_hash"},
}  # fmt: skip
"""Table -> the columns that a hash covers and that a sale of this store has a value in."""


@pytest.fixture(scope="module")
def with_people(traded: OpenStore) -> OpenStore:
    """Give the store with a person who has a badge, and a message taken from another node."""
    with traded.write() as session:
        person = staff.add(Context(session, traded.wei, traded.now), STORE, "Cem", "cashier", "2580")
        badges.give(Context(session, traded.wei, traded.now), person)
        message = Message("m1", 1, "t", 1, NOON.isoformat(), "2026-03-02", {"text": "as it was said"}, "")
        message = replace(message, hash=content_hash(message))
        inbox.take(session, inbox.Arrival("network", "e", [message]), lambda *_: None, at=NOON)
    return traded


def flipped(value: object) -> object:
    """Return a stored value with one bit of it the other way."""
    if isinstance(value, int):
        return value ^ 1
    text, place = str(value), len(str(value)) - 1
    return text[:place] + chr(ord(text[place]) ^ 1) if text else "x"


@pytest.mark.parametrize("table", HASHED)
def test_one_bit_that_flips_in_a_hashed_column_is_found(with_people, store, table):
    which = {
        "cash_movement": "kind = 'sale'", "payment": "NOT is_change", "inbox_message": "state = 'taken'",
        "staff": "badge_hash IS NOT NULL",
    }.get(table, "1")  # fmt: skip
    ((row,),) = ask(store, f"SELECT rowid FROM {table} WHERE {which} ORDER BY rowid LIMIT 1")
    for column in sorted(HASHED[table]):
        ((value,),) = ask(store, f"SELECT {column} FROM {table} WHERE rowid = :row", row=row)
        assert value is not None
        change = f"UPDATE {table} SET {column} = :value WHERE rowid = :row"
        spoil(store, change, value=flipped(value), row=row)
        assert verified(store).faults != [], column
        spoil(store, change, value=value, row=row)
    assert verified(store).faults == []
