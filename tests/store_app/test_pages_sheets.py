"""Labels on A4 and documents as pages: asked for, never written; bad wishes are answered with a sentence."""

import pytest
import sqlalchemy as sa

from pos.printer import PrintJob
from tests.store_app.conftest import House
from tests.store_app.office import fill, words
from tests.store_app.test_pages_slips import jobs, office, sold

__all__ = ["office"]


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
    days = [keeper.get(f"/prices/labels.pdf?day={day}").status_code for day in ("2026-01-01", "1999-01-01")]
    assert days[1] == 404
    shelf = keeper.get("/shelf/labels.pdf?sheet=70x37&skip=5")
    assert shelf.status_code in (200, 404)
    assert "As a PDF" in words(keeper.get("/shelf/labels")) or shelf.status_code == 404


@pytest.mark.parametrize("wish", ["sheet=none", "skip=21", "skip=-1", "skip=x", "day=yesterday"])
def test_a_wish_that_cannot_be_is_refused(office: House, wish: str):
    assert office.signed_in().get(f"/prices/labels.pdf?{wish}").status_code in (404, 422)


def test_only_who_may_print_gets_them(build):
    house = build()
    fill(house)
    assert house.signed_in("cashier").get("/prices/labels.pdf").status_code == 403
    assert house.visitor().get("/till/paper/x.pdf").status_code in (302, 303, 401)
