"""The table of tenders: where money goes back first, and what a name without a row may do."""

from pos.payments.tenders import TENDERS, going_back, tender_of


def test_money_goes_back_to_a_customers_own_accounts_before_it_becomes_store_credit():
    assert [row.name for row in going_back()] == ["tab", "points", "voucher"]
    for row in going_back():
        assert all(TENDERS[name].refunds for name in (row.goes_back, row.orphaned) if name)


def test_a_name_without_a_row_allows_nothing_and_is_called_by_its_name():
    row = tender_of("shells")
    assert (row.words, row.pays, row.refunds, row.at, row.book, row.slip) == ("shells", False, False, (), "", False)
