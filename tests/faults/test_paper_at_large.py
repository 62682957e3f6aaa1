"""No document of 500 generated sales prints wrongly: every paper, both widths, both kinds of printer, both languages.

The documents hold no question mark, so that one on paper is a letter the printer lacked.
"""

import itertools
import random

import pytest

from pos.documents import receipt
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from tests.pos import generated_sales as generated
from tests.pos.documents.test_printer_paper import printed
from tests.pos.documents.test_printer_paper import tool as tool

WAYS = list(itertools.product((32, 48), (True, False), ("en", "zh")))
SALES, PARTS = 500, 10


def print_sale(tool, seed):
    """Print a sale with its gift receipt and a copy, and every other document, in all ways; return what went wrong."""
    chance, wrong = random.Random(seed), []
    sale = generated.sale(chance)
    papers = {"receipt": (receipt.layout, sale), "gift": (receipt.gift_receipt, sale)} | generated.others(chance)
    for columns, chinese, language in WAYS:
        for name, (layout, document) in papers.items():
            lines = layout(document, columns=columns, language=language)
            machine, problems = printed(tool, encode(lines, PrinterModel(columns, chinese)), columns, chinese)
            cuts = [event for event in machine.event_log if event["event"] == "cut"]
            wrong += [f"{seed} {name} {columns} {chinese} {language}: {one}" for one in problems]
            if len(cuts) != 1 or "?" in "".join(map(machine.ticket_text, machine.tickets)):
                wrong.append(f"{seed} {name} {columns} {chinese} {language}: {len(cuts)} cuts, or a wrong letter")
    return wrong


def test_an_odd_sale_prints_without_a_problem(tool):
    assert print_sale(tool, SALES) == []


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
def test_five_hundred_odd_sales_print_without_a_problem(tool, part):
    assert [fault for seed in range(part, SALES, PARTS) for fault in print_sale(tool, seed)] == []
