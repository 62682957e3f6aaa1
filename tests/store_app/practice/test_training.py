"""Lessons: done by the real verbs in a practice store, and by nothing else; the store's own books stay as they were."""

import itertools
import json
import re
from typing import Any

import pytest
import sqlalchemy as sa

from config.errors import Invalid
from config.ids import new_id
from config.nodes.journal import Context, JournalEntry
from pos.till import shift
from store_app.practice import lessons
from supply.membership import training
from supply.membership.training import LessonDone, Trouble
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, House, post, token

SALE = "/api/sales"


@pytest.fixture
def store(house: House) -> House:
    office.fill(house)
    return house


def begin(client: Any, lesson_id: str) -> Any:
    return post(client, f"/training/{lesson_id}/begin")


def coach(client: Any) -> str:
    return office.words(client.get("/training/coach"))


def ring(client: Any, *, practice: bool, csrf: str = "") -> Any:
    """Ring up one product as the till's page does."""
    headers = {"X-CSRF-Token": csrf or token(client)}
    sku = client.get("/api/search?q=milk").json["products"][0]["sku"]
    body: dict[str, Any] = {"lines": [{"sku": sku, "qty": 1}], "cash": True}
    total = client.post("/api/quote", json=body, headers=headers).json["total_minor"]
    return client.post(
        SALE,
        headers=headers,
        json={
            "id": new_id(), "till_id": "1", "lines": body["lines"], "shown_total_minor": total, "practice": practice,
            "tenders": [{"tender": "cash", "amount_minor": total}], "age_confirmed": 21,
        },
    )  # fmt: skip


def done(house: House) -> list[LessonDone]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(LessonDone)))


def test_a_lesson_is_done_by_its_verbs_in_practice_and_the_shop_s_books_do_not_move(store):
    client = store.signed_in()
    assert begin(client, "ring-up").headers["Location"] == "/till/"
    before = office.picture_of(store)
    assert client.get("/till/").status_code == 200
    assert "Whole milk" in client.get("/products/").text, "a list of many pages, too, is the practice store's"
    assert done(store) == [], "looking at the till does no task"
    sold = ring(client, practice=True)
    assert sold.status_code == 201, sold.text
    assert sold.json["practice"] is True
    assert "(done)" in coach(client)
    assert done(store) == [], "half a lesson is none"
    sale_id, line = sold.json["id"], 1
    back = client.post(
        "/api/returns",
        headers={"X-CSRF-Token": token(client)},
        json={
            "id": new_id(), "till_id": "1", "sale_id": sale_id, "lines": [{"n": line, "qty": 1, "restock": True}],
            "tender": "cash", "why": "wrong", "practice": True,
        },
    )  # fmt: skip
    assert back.status_code == 201, back.text
    assert office.picture_of(store) == before, "practice wrote into the store's own books"
    assert "Well done" in coach(client)
    assert [(row.staff_id, row.lesson_id, row.times) for row in done(store)] == [("shopkeeper", "ring-up", 1)]
    coach(client)
    assert done(store)[0].times == 1, "seen twice is done once"
    assert post(client, "/training/leave").headers["Location"] == "/training/"
    assert "Done" in office.words(client.get("/training/"))
    assert not list((store.doors.settings.state_folder / "practice").glob("*"))
    with store.doors.read() as session:
        reported = session.execute(
            sa.select(JournalEntry.verb, JournalEntry.actor_id, JournalEntry.body).where(
                JournalEntry.verb.startswith("practice.")
            )
        ).all()
    assert [(verb, who, json.loads(body)) for verb, who, body in reported] == [
        (verb, "shopkeeper", {"lesson": "ring-up"}) for verb in ("practice.begun", "practice.ended")
    ]


def test_the_two_kinds_of_books_never_take_each_other_s_commands(store):
    client = store.signed_in()
    own = token(client)
    begin(client, "ring-up")
    refused = ring(client, practice=False)
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "practising")
    stale = client.post("/deliveries/D1/begin", data={"csrf_token": own, "command_id": new_id()})
    assert stale.status_code == 400, "a page of the store's own books was opened before the practice"
    for closed in ("/people/", "/settings/"):
        assert client.get(closed).status_code == 409
    practised = token(client)
    post(client, "/training/leave")
    stale = client.post("/deliveries/D1/begin", data={"csrf_token": practised, "command_id": new_id()})
    assert stale.status_code == 400, "and the other way round"


def test_a_practice_shop_that_is_gone_ends_the_practice_and_its_pages(store):
    client = store.signed_in()
    begin(client, "receive-goods")
    csrf = token(client)
    with client.session_transaction() as kept:
        store.app.extensions["cornerstore_practice"].close(kept["practice"])
    answer = client.post("/deliveries/D1/begin", data={"csrf_token": csrf, "command_id": new_id()})
    assert answer.status_code == 400
    assert client.get("/training/coach").status_code == 204, "a card may ask again while its page is left: no fault"


@pytest.mark.parametrize(("method", "answer"), [("GET", 200), ("POST", 400)])
def test_what_is_asked_while_its_practice_shop_is_deleted_is_asked_again_and_reaches_no_books(store, method, answer):
    client = store.signed_in()
    begin(client, "receive-goods")
    form, before = {"csrf_token": token(client), "command_id": new_id()}, office.picture_of(store)
    with client.session_transaction() as kept:
        name = kept["practice"]
    practices = store.app.extensions["cornerstore_practice"]
    store.app.before_request_funcs[None].append(lambda: practices.close(name))
    first = client.open("/deliveries/" if method == "GET" else "/deliveries/D1/begin", method=method, data=form)
    assert (first.status_code, first.location) == (307, first.request.path)
    again = client.open(first.location, method=method, data=form)
    assert (again.status_code, office.picture_of(store)) == (answer, before)


def test_every_lesson_of_ours_can_be_begun_and_asks_the_same_in_every_language(store):
    client = store.signed_in()
    for lesson_id, language in itertools.product(lessons.OURS, training.LANGUAGES):
        written = lessons.ours(lesson_id, language)
        assert written.language == language
        assert [task.does for task in written.tasks] == [task.does for task in lessons.ours(lesson_id, "en").tasks]
    for lesson_id, language in zip(lessons.OURS, itertools.cycle(training.LANGUAGES), strict=False):
        written = lessons.ours(lesson_id, language)
        there = begin(client, lesson_id)
        assert there.status_code == 303, there.text
        page = client.get(there.headers["Location"], query_string={"lang": language})
        assert page.status_code == 200, (lesson_id, page.status_code)
        assert written.title in page.text, lesson_id


def test_a_shop_without_goods_practises_with_ours(house):
    client = house.signed_in("cashier")
    assert begin(client, "ring-up").status_code == 303
    assert ring(client, practice=True).status_code == 201
    assert begin(client, "approve-an-order").status_code == 404, "a cashier orders nothing"


def test_what_goes_wrong_most_is_the_next_lesson_until_it_was_done(house):
    troubles = [Trouble("overrides", 30, 400), Trouble("over-short", 9, 10), Trouble("late-goods", 2, 2)]
    offered = list(lessons.OURS)
    found = training.suggest(troubles, offered, {}, at=NOON)
    assert (found.lesson_id, found.trouble.kind) == ("count-the-drawer", "over-short")
    fresh = {"count-the-drawer": LessonDone(last_at=NOON)}
    assert training.suggest(troubles, offered, fresh, at=NOON).lesson_id == "ring-up"
    calm = [Trouble("overrides", 30, 4000), Trouble("late-goods", 2, 2)]
    assert training.suggest(calm, offered, fresh, at=NOON) == training.Next("ring-up", None)
    everything = {lesson_id: LessonDone(last_at=NOON) for lesson_id in offered}
    assert training.suggest(troubles, offered, everything, at=NOON) is None


def test_troubles_are_what_the_books_say(store):
    with store.doors.write() as session:
        session.execute(sa.text("update store set joined_at = joined_at"))
        for n in range(4):
            found = shift.open_shift(Context(session, office.SYSTEM, NOON), STORE, "1", 10_000)
            session.flush()
            shift.close(Context(session, shopkeeper(), NOON), found, 10_000 - 3_000 * (n > 0), why="unknown")
            session.flush()
    with store.doors.read() as session:
        found = {
            one.kind: (one.times, one.chances) for one in training.troubles(session, STORE, day=NOON.date(), at=NOON)
        }
    assert found["over-short"] == (3, 4)
    assert found["pickups-late"][0] == 0


def shopkeeper() -> Any:
    from config.nodes.journal import Actor

    return Actor("shopkeeper", "shopkeeper", "shopkeeper", STORE)


def test_the_network_s_lessons_are_published_taken_over_and_rendered_without_html(store, network):
    client = network.signed_in("operator")
    text = (
        "title: Weigh <b>fruit</b>\nscene: till\nminutes: 3\nlanguage: en\n\n"
        "<script>alert(1)</script> **Weigh** it. [out](https://elsewhere.example)\n\n- [ ] sale: Sell *one* apple\n"
    )
    assert post(client, "/console/lessons/write", command_id=new_id(), text=text).status_code == 303
    with network.doors.read() as session:
        body = training.edition(session)
    with store.doors.write() as session:
        training.take_edition(session, body)
    lesson_id = body["lessons"][0][0]
    page = store.signed_in().get(f"/training/{lesson_id}").text
    assert "<strong>Weigh</strong>" in page
    assert "<script>alert" not in page
    assert 'href="https://elsewhere' not in page
    assert "Weigh &lt;b&gt;fruit" in page
    broken = post(client, "/console/lessons/write", command_id=new_id(), text=text.replace("sale:", "fly:"))
    assert broken.status_code == 422
    assert "Task fly not found" in office.words(broken)
    assert re.search(r"<textarea[^>]*>[^<]*fly: Sell", broken.text), "what was typed is still there"
    post(client, f"/console/lessons/take-back/{lesson_id}")
    with network.doors.read() as session:
        assert training.edition(session) == {"lessons": []}


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("no heading at all", "title: Ring up"),
        ("title: A\nscene: sea\nminutes: 3\nlanguage: en\n\n- [ ] sale: x", "scene: sea"),
        ("title: A\nscene: till\nminutes: 90\nlanguage: en\n\n- [ ] sale: x", "1 to 59"),
        ("title: A\nscene: till\nminutes: 3\nlanguage: en\n\nNo task.", "1 to 8 tasks"),
        ("title: A\nscene: till\nminutes: 3\nlanguage: en\n\n- [ ] sale: x\n- [ ] sale: y", "twice"),
    ],
)  # fmt: skip
def test_a_lesson_that_cannot_be_read_says_what_to_mend(text, reported):
    with pytest.raises(Invalid, match=re.escape(reported)):
        training.read_lesson("x", text)
