"""The operator's tools: members from a file, all stores' money at once, and a look into a store by its leave."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from config.errors import Conflict, Invalid
from config.ids import new_id
from config.nodes import facts, inbox, journal, outbox
from config.nodes.journal import Context, JournalEntry
from config.nodes.outbox import Message, OutboxMessage
from pos.store.store import Region, Store, Till, found_store
from store_app.commands.cli import main
from store_app.files import importing
from store_app.files.sheet import Fault
from supply.membership import exposure, support
from supply.money import credit, ledger
from supply.money.ledger import Booking, Wanted
from supply.network.routes.vehicles import MapPoint
from tests.store_app import money
from tests.store_app.conftest import NOON, STORE, House, add_store, token
from tests.store_app.office import words

HEAD = "store_id,name,region,currency,tz,language,slug,tills,lat,lon,sales_amount\n"


def asked(network: House) -> tuple[list[Any], int]:
    """Return the debtors, and how many questions it took."""
    count = 0

    def note(*_given: Any) -> None:
        nonlocal count
        count += 1

    with network.doors.read() as session:
        engine = session.get_bind()
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            found = exposure.debtors(session, money.DAY)
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
    return found, count


def test_all_debtors_are_found_in_as_many_questions_for_twelve_shops_as_for_one(network: House):
    money.lend(network)
    money.owe(network)
    one, few = asked(network)
    assert STORE in {row.id for row in one}
    with network.doors.write() as session:
        for n in range(10, 21):
            add_store(session, f"S{n}")
            session.flush()
            book = Booking(Context(session, money.OPERATOR, NOON), f"S{n}")
            book.invoice(Wanted(f"i{n}", 1_000 + n, money.DAY, False, f"D{n}", None, money.LINES[:1]))
            book.close("invoiced")
    many, count = asked(network)
    assert len(many) == len(one) + 11
    assert count == few
    with network.doors.read() as session:
        for row in many:
            standing = ledger.balances(session, row.id)
            figures = (row.owed_minor, row.credit_minor, row.funds_minor, row.pending_minor)
            pending = credit.pending(session, row.id)
            assert figures == (ledger.owed(standing), standing["credit"], -standing["funds"], pending)


def test_many_members_are_founded_from_a_file_with_region_tills_and_place(network: House, tmp_path: Any):
    file = tmp_path / "members.csv"
    file.write_text(
        f"{HEAD}S101,海港小店,Harbour,CNY,Asia/Shanghai,zh,harbour-101,2,31.2304,121.4737,4000.5\n"
        "S102,Corner,Harbour,CNY,Asia/Shanghai,,,,,,\nS103,Corner,Hill,CNY,Asia/Shanghai,,,,,,\n"
    )
    sheet = importing.read("members", file)
    with network.doors.write() as session:
        importing.look_around(session, sheet)
        assert sheet.faults == []
        reported = importing.write(Context(session, money.OPERATOR, NOON), sheet, "network")
    assert reported == "3 rows imported."
    with network.doors.read() as session:
        first = session.get_one(Store, "S101")
        assert (first.name, first.language, first.slug) == ("海港小店", "zh", "harbour-101")
        assert first.usual_sales_minor == 400_050
        assert session.get_one(Region, first.region_id).name == "Harbour"
        assert len(session.scalars(sa.select(Till).where(Till.store_id == "S101")).all()) == 2
        assert session.get_one(MapPoint, "S101").source == "imported"
        assert {session.get_one(Store, one).slug for one in ("S102", "S103")} == {"corner", "corner-s103"}


def test_a_region_is_one_however_it_is_written_and_keeps_the_name_it_was_first_given(network: House, tmp_path: Any):
    file = tmp_path / "members.csv"
    file.write_text(
        f"{HEAD}S111,A,harbor,USD,UTC,,,,,,\nS112,B, HARBOR ,USD,UTC,,,,,,\nS113,C,Old  Town,USD,UTC,,,,,,\n"
    )
    given: dict[str, Any] = {"currency": "USD", "tz": "UTC", "at": NOON}
    sheet = importing.read("members", file)
    with network.doors.write() as session:
        found_store(session, "S110", "First", region="Harbor", **given)
        importing.write(Context(session, money.OPERATOR, NOON), sheet, "network")
        found_store(session, "S114", "Last", region="old town", **given)
    with network.doors.write() as session:
        names = {one: session.get_one(Region, session.get_one(Store, one).region_id).name
                 for one in ("S110", "S111", "S112", "S113", "S114")}  # fmt: skip
        assert names == {"S110": "Harbor", "S111": "Harbor", "S112": "Harbor", "S113": "Old Town", "S114": "Old Town"}
        session.add(Region(id="Harbor", name="Harbor"))  # as it could be before
        session.flush()
        with pytest.raises(Conflict, match="the same name: Harbor, harbor"):
            found_store(session, "S115", "Which", region="HARBOR", **given)
        assert found_store(session, "S115", "This", region="Harbor", **given).region_id == "Harbor"
        with pytest.raises(Invalid, match="Enter a region name of 1 to"):
            found_store(session, "S116", "None", region=" ", **given)


def test_every_bad_row_is_said_in_a_sentence_and_nothing_is_written(network: House, tmp_path: Any):
    file = tmp_path / "members.csv"
    file.write_text(
        f"{HEAD}{STORE},Known,North,USD,UTC,,,,,,\n"
        "S 2,Blank,North,usd,Mars/Base,fr,Bad Slug,0,91,0,\n"
        "S201,One,North,USD,UTC,,twin,,31.2,,12.3451\n"
        "S202,Two,North,USD,UTC,,twin,,,,\n"
    )
    sheet = importing.read("members", file)
    with network.doors.write() as session:
        importing.look_around(session, sheet)
        with pytest.raises(importing.Invalid, match="Nothing was saved"):
            importing.write(Context(session, money.OPERATOR, NOON), sheet, "network")
        assert session.get(Store, "S201") is None
    places = {(fault.row, fault.column) for fault in sheet.faults}
    wrong = {"store_id", "currency", "tz", "language", "slug", "tills", "lat"}
    assert places == {(2, "store_id"), *((3, column) for column in wrong), (4, "lon"), (4, "sales_amount"), (5, "slug")}
    assert all(isinstance(fault, Fault) and len(fault.words) > 10 for fault in sheet.faults)


def test_the_command_names_the_faults_and_ends_with_2(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "cornerstore.toml"))
    runner = CliRunner()
    made = runner.invoke(main, ["init", "--role", "network", "--node-id", "network", "--folder", str(tmp_path / "n")])
    assert made.exit_code == 0, made.output
    file = tmp_path / "members.csv"
    file.write_text(f"{HEAD}S1,One,North,USD,Nowhere/Land,,,,,,\n")
    reported = runner.invoke(main, ["import", "members", str(file), "--yes"])
    assert reported.exit_code == 2
    assert "Row 2, tz: 'Nowhere/Land' is not a time zone such as Asia/Shanghai" in " ".join(reported.output.split())
    file.write_text(f"{HEAD}S1,One,North,USD,UTC,,,,,,\n")
    assert runner.invoke(main, ["import", "members", str(file), "--yes"]).exit_code == 0
    reported = runner.invoke(main, ["archive", "2025-01-06"])
    assert (reported.exit_code, "Only PostgreSQL can archive by week. Here" in reported.output) == (1, True)


# --- a look into a store ---


@pytest.fixture
def pair(build: Any) -> tuple[House, House]:
    """Give a network and one of its stores."""
    return build(role="network", node_id="network"), build()


def carry(source: House, target: House, topic: str) -> None:
    """Bring what one node wrote for the other, twice."""
    with source.doors.read() as session:
        rows = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic == topic)).all()
        reported = [(row.subject, Message(**outbox.to_wire(row))) for row in rows]
    sender = source.doors.settings.node_id
    for _subject, message in (*reported, *reported):
        with target.doors.write() as session:
            facts.apply(session, message, sender, target.clock.now())


def test_the_network_looks_into_a_shop_by_leave_alone_and_the_shop_s_journal_says_who(pair: Any):
    network, store = pair
    operator, keeper = network.signed_in("operator"), store.signed_in()
    at_store = f"/console/stores/{STORE}/support"
    assert "No access" in operator.get(f"{at_store}/").text
    refused = send(operator, f"{at_store}/look")
    assert refused.status_code == 409
    assert operator.get(f"{at_store}/inside").status_code == 404
    assert send(keeper, "/support/give", hours="4", words="The milk is never right").status_code == 303
    carry(store, network, "support.reported")
    assert "The milk is never right" in operator.get(f"{at_store}/").text
    assert operator.get(f"{at_store}/inside").status_code == 404, "a look is opened by a press"
    assert send(operator, f"{at_store}/look").status_code == 303
    shown = words(operator.get(f"{at_store}/inside"))
    assert "There is no backup yet. Run `cornerstore backup`." in shown
    assert "Es gibt noch keine Sicherung." in words(operator.get(f"{at_store}/inside?lang=de"))
    operator.get("/console/?lang=en")
    assert "staff.signed_in" in shown or "support.given" in shown or "Latest journal entries" in shown
    carry(network, store, "support.looked")
    assert "operator" in words(keeper.get("/support/"))
    with store.doors.read() as session:
        said = session.scalars(sa.select(JournalEntry.actor_name).where(JournalEntry.verb == "support.looked")).all()
        assert said == ["operator"], "a second copy of the message is no second look"
        assert journal.verify(session, STORE) == []


@pytest.mark.parametrize("how", ["reversed", "over"])
def test_leave_that_is_taken_back_or_over_shuts_an_open_look_at_once(pair: Any, how: str):
    network, store = pair
    operator, keeper = network.signed_in("operator"), store.signed_in()
    send(keeper, "/support/give", hours="1")
    carry(store, network, "support.reported")
    send(operator, f"/console/stores/{STORE}/support/look")
    assert operator.get(f"/console/stores/{STORE}/support/inside").status_code == 200
    if how == "reversed":
        send(keeper, "/support/take-back")
        carry(store, network, "support.reported")
    else:
        network.clock.advance(61 * 60)
        operator = network.signed_in("operator")
    assert operator.get(f"/console/stores/{STORE}/support/inside").status_code == 404
    with network.doors.write() as session:
        support.forget(session, at=network.clock.now())
        assert all(row.reported == {} for row in session.scalars(sa.select(support.SupportPermission)))


STATE = {
    "at": NOON.isoformat(),
    "words": [{"light": "warn", "said": [["disk", {"free": 1.5}]]}],
    "journal": [{"at": NOON.isoformat(), "who": "Ana", "verb": "shift.opened"}],
}


def arrives(network: House, store: House, **changed: Any) -> inbox.Outcome:
    """Let a store's newest leave arrive, with parts of it changed."""
    with store.doors.read() as session:
        of_leave = sa.select(OutboxMessage).where(OutboxMessage.topic == "support.reported")
        row = outbox.to_wire(session.scalars(of_leave.order_by(OutboxMessage.n.desc())).first())
    body = row["body"] | {"step": row["body"]["step"] + 1} | changed
    lie = Message(**row | {"id": new_id(), "n": row["n"] + 1, "body": body})
    lie = replace(lie, hash=outbox.hash_of(lie, journal.canonical(body)))
    with network.doors.write() as session:
        at = network.clock.now()
        arrival = inbox.Arrival(STORE, "epoch", [lie])
        (outcome,) = inbox.take(session, arrival, lambda *given: facts.apply(*given, STORE, at), at=at)
    return outcome


@pytest.fixture
def looked_into(pair: Any) -> tuple[House, House, Any]:
    """Give a network, its store, and the operator who looks into it."""
    network, store = pair
    send(store.signed_in(), "/support/give", hours="4", words="Look")
    carry(store, network, "support.reported")
    operator = network.signed_in("operator")
    assert send(operator, f"/console/stores/{STORE}/support/look").status_code == 303
    return network, store, operator


def said(*said: Any, light: Any = "good") -> dict[str, Any]:
    return {"reported": STATE | {"words": [{"light": light, "said": list(said)}]}}


@pytest.mark.parametrize(
    "lie",
    [
        {"reported": []},
        {"reported": STATE | {"at": {}}},
        {"reported": STATE | {"words": "none"}},
        {"reported": STATE | {"at": "x"}},
        {"reported": STATE | {"at": 5}},
        {"reported": STATE | {"at": "00010101T000000Z"}},
        {"reported": STATE | {"at": "99991231T235959Z"}},
        {"reported": STATE | {"words": 5}},
        {"reported": STATE | {"words": [5]}},
        {"reported": STATE | {"words": [{"light": "good"}]}},
        {"reported": STATE | {"words": STATE["words"] * 61}},
        {"reported": STATE | {"journal": "none"}},
        {"reported": STATE | {"journal": [{"at": "x", "who": "Ana", "verb": "shift.opened"}]}},
        {"reported": STATE | {"journal": STATE["journal"] * 31}},
        said(light="dot"),
        said("disk"),
        said(["disk"]),
        said(["disk", []]),
        said(["disk", {"free": None}]),
        said(["disk", {"free": ["1"]}]),
        said(["disk", {"free": "9" * 301}]),
        said(["x" * 301, {}]),
        said(*[["disk", {}]] * 21),
        said(["disk", {f"f{n}": n for n in range(21)}]),
        {"words": "x" * 301},
        {"given_by": "x" * 301},
        {"until": "99991231T235959Z"},
    ],
)  # fmt: skip
def test_what_a_lying_store_says_of_itself_is_set_aside_and_the_page_stays_as_it_was(looked_into: Any, lie: Any):
    network, store, operator = looked_into
    outcome = arrives(network, store, **lie)
    assert outcome.state == "parked"
    assert outcome.refusal["code"] in ("field-missing", "field-odd", "impossible-day")
    page = operator.get(f"/console/stores/{STORE}/support/inside?lang=en")
    assert (page.status_code, "There is no backup yet." in words(page)) == (200, True)
    held = words(operator.get("/console/held/"))
    assert "Permission for support: the field" in held or "Its date is not valid for this store." in held


@pytest.mark.parametrize("reported", [{}, {"at": NOON.isoformat()}, {"words": []}, STATE | {"printers": 5}])
def test_a_store_may_leave_something_out_or_say_more(looked_into: Any, reported: Any):
    network, store, operator = looked_into
    assert arrives(network, store, reported=reported).state == "taken"
    page = operator.get(f"/console/stores/{STORE}/support/inside?lang=en")
    assert (page.status_code, "There is no backup yet." in words(page)) == (200, False)
    assert ("No reports yet." in words(page)) == ("at" not in reported)


def test_a_store_may_say_what_this_network_does_not_know_yet(looked_into: Any):
    network, store, operator = looked_into
    odd = {"until": "T", "state": 5, "permissions": 5, "currency": "?", "over_minor": 5, "free": "%(x)s"}
    newer = said(["disk", odd], ["disk-of-tomorrow", {}], ["edition-refused", {"edition": 5, "why": 5}], ["place", {}])
    assert arrives(network, store, **newer).state == "taken"
    page = operator.get(f"/console/stores/{STORE}/support/inside?lang=en")
    assert page.status_code == 200
    assert "%(x)s GB free. Not accepted from the network: 5. 5 The state folder is on a disk" in words(page)


def send(client: Any, address: str, **fields: str) -> Any:
    return client.post(address, data={"csrf_token": token(client), "command_id": new_id(), **fields})
