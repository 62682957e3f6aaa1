"""The audit page: who did what at the network, found by person, day and words, for who may read it."""

import csv
import datetime as dt
import io

import pytest
import sqlalchemy as sa

from config.nodes import journal
from config.nodes.journal import Actor, Context, JournalEntry
from tests.store_app.conftest import NOON, House, add_team
from tests.store_app.office import words

ANA, BEN, NIGHT = (
    Actor("ana", "Ana", "operator", "network"), Actor("ben", "Ben 本", "finance", "network"),
    Actor.system("credit", "network"),
)  # fmt: skip
OTHERS = Actor("ana", "Ana", "shopkeeper", "S01")


@pytest.fixture
def written(network: House) -> House:
    """Give a network whose journal holds four things, one a month old, and one of a store."""
    add_team(network)
    with network.doors.write() as session:
        for actor, days, verb, facts in (
            (ANA, 40, "terms.set", {"n": 1}), (ANA, 1, "credit.open", {"why": "100%_paid"}),
            (BEN, 0, "money proposal.confirmed", {"proposed_by": "ana", "kind": "=1+1"}),
            (NIGHT, 0, "credit line.set", {"limit_minor": 5000}), (OTHERS, 0, "sale.completed", {"no": 7}),
        ):  # fmt: skip
            ctx = Context(session, actor, NOON - dt.timedelta(days=days))
            journal.record(ctx, verb=verb, subject=f"{verb.partition('.')[0]}:S0{days}", **facts)
    return network


def shown(network: House, asked: str) -> str:
    return words(network.signed_in("finance").get(f"/console/audit/?{asked}"))


def test_entries_are_found_by_person_days_and_words_and_a_store_s_are_its_own(written):
    assert "credit: open" in (page := shown(written, ""))
    assert "terms: set" not in page, "beyond the days that stand there at first"
    assert "credit line: set" not in page, "jobs are asked for"
    assert "sale: completed" not in shown(written, "who=")
    assert "credit line: set" in shown(written, "who=")
    assert "terms: set" in shown(written, f"first={(NOON - dt.timedelta(days=60)).date()}")
    assert "credit: open" not in (page := shown(written, "who=ben"))
    assert "money proposal: confirmed" in page
    assert "money proposal: confirmed" in shown(written, "q=本+ANA"), "each word, in any column, in any letters"
    assert "credit: open" in shown(written, "q=100%25_PAID")
    assert "Nothing found" in shown(written, "q=1000_paid"), "what is typed is no pattern"
    yesterday = (NOON - dt.timedelta(days=1)).date()
    assert "money proposal" not in shown(written, f"last={yesterday}")


@pytest.mark.parametrize("asked", ["first=2026-02-30", "first=x&last=y", "first=2026-03-02&last=2026-03-01", "page=x"])
def test_odd_days_are_a_sentence_and_no_fault(written, asked):
    answer = written.signed_in("finance").get(f"/console/audit/?{asked}")
    assert answer.status_code == 200
    assert ("note-bad" in answer.text) == (asked != "page=x")


def test_the_table_holds_what_was_asked_for_no_formula_and_is_journalled(written):
    asked = "file=csv&who=ben&columns=actor_id&columns=verb&columns=body"
    answer = written.signed_in("reader").get(f"/console/audit/?{asked}")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["Person’s number"], row["Action"]) for row in rows if row["Action"] != "signin.good"] == [
        ("ben", "money proposal.confirmed")
    ]
    assert all(not one.startswith("=") for row in rows for one in row.values())
    with written.doors.read() as session:
        assert session.scalar(sa.select(JournalEntry.actor_id).where(JournalEntry.verb == "journal.taken")) == "reader"
        assert journal.verify(session, "network") == []


@pytest.mark.parametrize("role", ["buyer", "warehouse", "support"])
def test_who_may_not_read_it_finds_neither_page_nor_way_to_it(written, role):
    client = written.signed_in(role)
    assert client.get("/console/audit/").status_code == 403
    assert client.get("/console/audit/?file=csv").status_code == 403
    assert "Audit log" not in words(client.get("/more/network"))
