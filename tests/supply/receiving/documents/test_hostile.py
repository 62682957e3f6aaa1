"""Faulty and hostile invoices: each is refused or shown with a sentence, and no book moves; the honest one passes."""

from random import Random

import pytest

from tests.supply.receiving.documents import hostile, made
from tests.supply.receiving.documents.hostile import FAULTS, PASSED, Court

MADE = 2 * len(FAULTS)
"""Each fault twice; `python3 run bench papers` tries a thousand."""


@pytest.fixture(scope="module")
def court(tmp_path_factory) -> Court:
    return Court(tmp_path_factory.mktemp("court"))


def test_an_honest_invoice_passes_in_either_format_and_alone_is_not_doubted(court):
    paper = hostile.honest(Random(1), "R-1")
    for raw in (made.ubl(paper), made.cii(paper), made.pdf(invoice=made.cii(paper))):
        assert court.judge(raw) == (PASSED, "")


def test_no_seeded_fault_is_booked_and_each_is_said(court):
    for seed in range(MADE):
        kind, wanted, raw = hostile.seeded(seed)
        found, sentence = court.judge(raw)
        assert hostile.is_right(wanted, found, sentence), (seed, kind, found, sentence)
