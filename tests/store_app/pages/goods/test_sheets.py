"""Labels on A4 and documents as pages: asked for, never written; bad wishes are answered with a sentence."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from pos.documents import pdf
from pos.printing.queue import PrintJob
from store_app.pages.common import labelling
from supply.shelf import plan
from tests.store_app.conftest import STORE, House
from tests.store_app.office import fill, words
from tests.store_app.pages.goods.test_prices import LATER, apply
from tests.store_app.pages.goods.test_shelf import go_live
from tests.store_app.pages.till.test_slips import jobs, office, sold

__all__ = ["office"]


def labels_on(answer: TestResponse, house: House, skus: list[str], day: dt.date | None, **sheet: Any) -> bool:
    """Tell whether an answer is the very sheet of these products' labels."""
    with house.app.test_request_context("/"), house.doors.read() as session:
        house.app.preprocess_request()
        found = labelling.documents(session, skus, day)
    kind, skip = pdf.SHEETS[sheet.get("sheet", "plain")], sheet.get("skip", 0)
    made = answer.data == pdf.label_sheets(found, kind, skip=skip)
    fewer = answer.data == pdf.label_sheets(found[:-1], kind, skip=skip)
    return (answer.status_code, answer.mimetype) == (200, "application/pdf") and made and not fewer


def test_what_was_printed_is_a_page_as_well(office: House):
    keeper = office.signed_in()
    sold(office, keeper)
    (job,) = jobs(office, "receipt")
    answer = keeper.get(f"/till/paper/{job.id}.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert keeper.get("/till/paper/nothing.pdf").status_code == 404
    with office.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PrintJob)) == 1, "looking prints nothing"


def test_labels_of_new_prices_and_of_the_shelf_come_on_sheets(office: House):
    keeper = office.signed_in()
    assert keeper.get(f"/prices/labels.pdf?day={LATER}").status_code == 404
    apply(keeper)
    assert "As PDF" in words(keeper.get(f"/prices/labels?day={LATER}"))
    assert labels_on(keeper.get(f"/prices/labels.pdf?day={LATER}"), office, ["beer", "tea"], LATER)
    assert keeper.get("/shelf/labels.pdf").status_code == 404
    go_live(office, keeper)
    with office.doors.read() as session:
        skus = [row.sku for row in plan.slots_of(session, plan.live_plan(session, STORE))]
    assert len(skus) > 3
    assert "As PDF" in words(keeper.get("/shelf/labels"))
    assert labels_on(keeper.get("/shelf/labels.pdf?sheet=70x37&skip=5"), office, skus, None, sheet="70x37", skip=5)


@pytest.mark.parametrize("wish", ["sheet=none", "skip=21", "skip=-1", "skip=x", "day=yesterday"])
def test_a_wish_that_cannot_be_is_refused(office: House, wish: str):
    assert office.signed_in().get(f"/prices/labels.pdf?{wish}").status_code in (404, 422)


def test_only_who_may_print_gets_them(build):
    house = build()
    fill(house)
    assert house.signed_in("cashier").get("/prices/labels.pdf").status_code == 403
    assert house.visitor().get("/till/paper/x.pdf").status_code in (302, 303, 401)
