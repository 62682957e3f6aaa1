"""Suppliers' documents that come by themselves: out of a folder, out of a mailbox, and what waits for a person."""

import os
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.errors import Unreachable
from config.nodes.journal import JournalEntry
from store_app.inbound import folder, looking, sources
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS
from supply.receiving.documents.incoming import IncomingFile
from supply.receiving.documents.supplier_documents import SupplierPaper
from tests.store_app.conftest import NOON
from tests.store_app.inbound.mail_server import MailServer, certificate, message
from tests.store_app.office import send, words
from tests.store_app.pages.orders.test_invoices import PAPER, office, upload  # noqa: F401 - a fixture
from tests.supply.receiving.documents import made

SECOND = replace(PAPER, number="4712", order="")


@pytest.fixture
def desk(office):  # noqa: F811
    return Desk(office.doors)


def look(desk) -> str:
    return JOBS["papers-in"].run(desk, NOON.date())


def papers(desk) -> dict[str, str]:
    with desk.doors.read() as session:
        return dict(session.execute(sa.select(SupplierPaper.number, SupplierPaper.state)).all())


def waiting(desk) -> dict[str, str]:
    with desk.doors.read() as session:
        rows = session.scalars(sa.select(IncomingFile).where(IncomingFile.state == "waiting"))
        return {row.name: row.why.code for row in rows}


def put(path, name: str, raw: bytes):
    file = path / name
    file.write_bytes(raw)
    os.utime(file, (1, 1))
    return file


@pytest.fixture
def watched(office, tmp_path):  # noqa: F811
    path = tmp_path / "from suppliers"
    path.mkdir()
    assert send(office.signed_in(), "/invoices/incoming/folder", path=str(path)).status_code == 303
    return path


def test_a_file_of_a_known_supplier_comes_in_once_and_is_moved_to_done(office, desk, watched):  # noqa: F811
    assert upload(office.signed_in(), made.ubl(PAPER)).status_code == 303  # from now on its tax number is known
    for _again in range(2):
        put(watched, "second.xml", made.ubl(SECOND))
        assert look(desk) == "folder looked into"
    assert papers(desk) == {"4711": "open", "4712": "open"}
    assert sorted(one.name for one in watched.rglob("*.xml")) == ["second-2.xml", "second.xml"]
    assert {one.parent.name for one in watched.rglob("*.xml")} == {folder.DONE}
    assert not list(watched.rglob("*.txt"))


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (made.ubl(replace(PAPER, buyer="Somebody Else")), "other-buyer", "This document is for Somebody Else"),
        (made.pdf(one=made.cii(PAPER), two=made.cii(SECOND)), "two-invoices", "more than one invoice"),
        (b"<torn", "no-xml", "This file is damaged"),
        (made.ubl(PAPER), "supplier-unproven", "The first document from Mill Farm"),
        (made.ubl(replace(PAPER, seller="Nobody")), "supplier-not-known", "None of your suppliers is Nobody"),
        (made.advice(PAPER), "advice-waits", ""),
    ],
)  # fmt: skip
def test_what_is_not_added_is_moved_aside_with_its_sentence_and_waits_on_the_page(
    office, desk, watched, raw, code, said,  # noqa: F811
):  # fmt: skip
    if code == "advice-waits":
        upload(office.signed_in(), made.ubl(PAPER))
    before = papers(desk)
    put(watched, "odd.pdf" if raw.startswith(b"%PDF") else "odd.xml", raw)
    look(desk)
    assert papers(desk) == before
    assert list(waiting(desk).values()) == [code]
    (sentence,) = (watched / folder.REJECTED).glob("*.txt")
    assert said in sentence.read_text("utf-8")
    seen = words(office.signed_in().get("/invoices/"))
    assert "Waiting for you" in seen
    assert said in seen


def test_a_person_adds_what_waits_and_from_then_on_it_comes_by_itself(office, desk, watched):  # noqa: F811
    client = office.signed_in()
    put(watched, "first.xml", made.ubl(replace(PAPER, seller="Mill Farm Holding Ltd")))
    look(desk)
    with desk.doors.read() as session:
        known = session.scalar(sa.select(IncomingFile.sha256))
    assert send(client, f"/invoices/incoming/files/{known}/add", supplier="").status_code == 409
    assert send(client, f"/invoices/incoming/files/{known}/add", supplier="farm").status_code == 303
    put(watched, "second.xml", made.ubl(SECOND))
    look(desk)
    assert papers(desk) == {"4711": "open", "4712": "open"}
    forged = replace(SECOND, number="4713", seller_tax="DE555")
    put(watched, "forged.xml", made.ubl(forged))
    look(desk)
    assert waiting(desk) == {"forged.xml": "other-tax-number"}
    with desk.doors.read() as session:
        known = session.scalar(sa.select(IncomingFile.sha256).where(IncomingFile.state == "waiting"))
    assert send(client, f"/invoices/incoming/files/{known}/add", then="remove").status_code == 303
    put(watched, "forged.xml", made.ubl(forged))
    look(desk)
    assert waiting(desk) == {}


def test_the_folder_leaves_links_other_files_and_what_is_still_written(office, desk, watched, tmp_path):  # noqa: F811
    outside = put(tmp_path, "outside.xml", made.ubl(PAPER))
    (watched / "link.xml").symlink_to(outside)
    put(watched, "notes.txt", b"notes")
    (watched / "fresh.xml").write_bytes(made.ubl(PAPER))
    os.utime(watched / "fresh.xml", (2**33, 2**33))
    look(desk)
    assert sorted(one.name for one in watched.iterdir()) == ["fresh.xml", "link.xml", "notes.txt"]
    assert waiting(desk) == {}


@pytest.mark.parametrize("path", ["", "relative", "/nowhere at all", "STATE", "ABOVE"])
def test_a_folder_that_is_missing_or_the_stores_own_is_refused(office, path):  # noqa: F811
    state = office.doors.settings.state_folder
    named = {"STATE": str(state), "ABOVE": str(state.parent)}.get(path, path)
    assert send(office.signed_in(), "/invoices/incoming/folder", path=named).status_code in (400, 409, 422)
    assert sources.entered(office.doors.settings, sources.FOLDER) == {}


@pytest.fixture
def post_office(tmp_path, monkeypatch):
    """Open a mail server with messages; gives what opens it."""
    both, servers = certificate(tmp_path / "both.pem"), []
    monkeypatch.setenv("SSL_CERT_FILE", str(both))

    def opened(*messages: bytes) -> MailServer:
        box = MailServer(dict(enumerate(messages, 1)))
        servers.append(box.serve(both))
        return box

    yield opened
    for server in servers:
        server.shutdown()
        server.server_close()


def set_up(office, box: MailServer, **other: str):  # noqa: F811
    fields = {"host": "localhost", "port": str(box.port), "user": "invoices@store.example", "password": "right",
              "folder": "INBOX"}  # fmt: skip
    return send(office.signed_in(), "/invoices/incoming/mailbox", **fields | other)


def test_unread_messages_with_invoices_come_in_and_only_they_are_marked(office, desk, post_office):  # noqa: F811
    upload(office.signed_in(), made.ubl(PAPER))
    box = post_office(
        message(("bill.xml", made.ubl(SECOND)), ("copy.xml", made.ubl(SECOND))),
        message(),
        message(("picture.png", b"png"), kind="octet-stream"),
        message(("bill.pdf", made.pdf(one=made.cii(replace(SECOND, number="4714")))), kind="pdf"),
        message(("flyer.pdf", made.pdf()), kind="pdf", sender="Anybody <spam@example.com>"),
    )
    assert set_up(office, box).status_code == 303
    assert look(desk) == "mailbox looked into"
    assert papers(desk) == {"4711": "open", "4712": "open", "4714": "open"}
    assert waiting(desk) == {"flyer.pdf": "no-invoice"}
    assert box.seen == {1, 4, 5}
    assert 2 not in box.fetched
    assert "Anybody" in words(office.signed_in().get("/invoices/"))


def test_whenever_the_mail_server_hangs_up_every_invoice_comes_in_once(office, desk, post_office):  # noqa: F811
    upload(office.signed_in(), made.ubl(PAPER))
    box = post_office(*(message((f"{n}.xml", made.ubl(replace(SECOND, number=str(n))))) for n in (1, 2)))
    set_up(office, box)
    wrong = 0
    for commands in range(12):
        box.hangs_up_after, known = commands, set(papers(desk))
        wrong += look(desk) == "mailbox: mailbox-away"
        assert known <= set(papers(desk))
        assert {str(n) for n in box.seen} <= set(papers(desk))  # marked only after it is written down
    assert wrong > 5
    assert set(papers(desk)) == {"4711", "1", "2"}
    assert box.seen == {1, 2}


def test_a_message_too_large_waits_with_a_sentence_and_is_not_fetched(
    office, desk, post_office, monkeypatch,  # noqa: F811
):  # fmt: skip
    from store_app.inbound import mailbox

    box = post_office(message(("bill.xml", made.ubl(SECOND))))
    set_up(office, box)
    monkeypatch.setattr(mailbox, "MOST_BYTES", 100)
    look(desk)
    assert list(waiting(desk).values()) == ["file-too-large"]
    assert (box.fetched, box.seen) == ([], {1})


def test_a_wrong_password_or_folder_is_said_on_the_page_and_marks_nothing(office, desk, post_office):  # noqa: F811
    box, client = post_office(message(("bill.xml", made.ubl(SECOND)))), office.signed_in()
    set_up(office, box, password="wrong")
    answer = send(client, "/invoices/incoming/mailbox/check")
    assert answer.status_code == 409
    assert "refused user name or password" in words(answer)
    set_up(office, box, password="right", folder="Nowhere")
    assert "The mail server did not do it" in words(send(client, "/invoices/incoming/mailbox/check"))
    assert "Last checked" in words(client.get("/invoices/incoming/"))
    assert box.seen == set()


def test_a_server_whose_certificate_nobody_signed_is_not_talked_to(
    office, desk, post_office, monkeypatch,  # noqa: F811
):  # fmt: skip
    box = post_office(message(("bill.xml", made.ubl(SECOND))))
    set_up(office, box)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable, match="certificate"):
        looking.look(desk.doors, desk.actor("test"), sources.MAILBOX)
    assert box.hangs_up_after == 10_000  # not even the password was sent


def test_the_password_is_shown_nowhere_and_stays_when_the_field_is_left_empty(office, post_office):  # noqa: F811
    box, client = post_office(), office.signed_in()
    set_up(office, box, password="pear tree")
    set_up(office, box, password="", user="other@store.example")
    assert "pear tree" not in client.get("/invoices/incoming/").text
    state = office.doors.settings.state_folder
    assert not any(b"pear tree" in file.read_bytes() for file in state.rglob("*") if file.is_file())
    with office.doors.read() as session:
        assert not any("pear tree" in str(body) for body in session.scalars(sa.select(JournalEntry.body)))
    assert sources.values(office.doors.settings, sources.MAILBOX)["password"] == "pear tree"
    set_up(office, box, password="", host="elsewhere.example")  # a password goes to no other server
    assert sources.entered(office.doors.settings, sources.MAILBOX)["host"] == "localhost"
    assert send(client, "/invoices/incoming/mailbox/remove").status_code == 303
    assert sources.entered(office.doors.settings, sources.MAILBOX) == {}


def test_only_who_may_change_settings_sets_a_source_up(office):  # noqa: F811
    client = office.signed_in("supervisor")
    assert client.get("/invoices/incoming/").status_code == 403
    assert send(client, "/invoices/incoming/folder/check").status_code == 403
    assert send(office.signed_in(), "/invoices/incoming/other/check").status_code == 404
