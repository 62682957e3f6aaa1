"""Paper of the customers' books: a repayment's slip, a statement, a voucher; and the same in words to send.

Rules
-----
1. As with the receipt: a layout reads its frozen document alone and is printed in the customer's own language.
2. A slip says what was paid, which purchases that paid, oldest first, and what is still owed.
3. A statement begins with what was owed before its first day and ends with what is owed after its last one; its lines
   lead from one to the other.
4. A voucher shows its code in groups of four and as a QR code to scan.

Everything here is pure. Money comes in minor units of the store's currency; columns are 32, 42 or 48.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from pos.documents.paper import BLANK, CUT, RULE, PaperLine, amount, centred, indented, pair, price, store_head
from pos.documents.words import day_words
from pos.payments import vouchers

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "tab_paid": "TAB PAYMENT", "copy": "COPY", "for": "For", "cash": "Cash", "card": "Card", "paid": "Paid",
        "before": "Owed before", "owed": "STILL OWED", "settled": "All is paid. Thank you!", "pays": "This pays",
        "of": "Purchase of", "old": "Old book of", "left": "left to pay", "statement": "STATEMENT", "from": "From",
        "until": "Until", "opening": "Owed before", "closing": "OWED", "charge": "Purchase", "carried_over": "Old book",
        "repayment": "Paid", "refund": "Goods returned", "written_off": "Written off", "receipt": "receipt",
        "owed_again": "Write-off undone",
        "ages": "Unpaid for", "age_0": "0 to 30 days", "age_1": "31 to 60 days", "age_2": "61 to 90 days",
        "age_3": "more than 90 days", "nothing": "Nothing in these days.", "thanks": "Thank you!",
        "gift": "GIFT VOUCHER", "credit": "STORE CREDIT", "worth": "Worth", "until_day": "Valid until",
        "no_end": "Valid until it is spent", "keep": "Who shows this code may spend it. Keep it like cash.",
        "day": "Day", "what": "What", "amount": "Amount", "balance": "Owed after it", "signature": "Signature",
        "reminder": "Dear {name}, your tab at {store} stands at {owed}; the oldest purchase is of {since}. "
        "Please pay when you next come by. Thank you!",
        "reminder_none": "Dear {name}, your tab at {store} is settled. Thank you!",
    },
    "zh": {
        "tab_paid": "记账还款", "copy": "副本", "for": "顾客", "cash": "现金", "card": "银行卡", "paid": "已还",
        "before": "还款前欠款", "owed": "尚欠", "settled": "欠款已全部结清，谢谢！", "pays": "本次抵扣",
        "of": "购物", "old": "旧账", "left": "未还", "statement": "记账对账单", "from": "自",
        "until": "至", "opening": "期初欠款", "closing": "欠款", "charge": "记账购物", "carried_over": "旧账",
        "repayment": "还款", "refund": "退货", "written_off": "核销", "receipt": "小票",
        "owed_again": "核销撤回",
        "ages": "账龄", "age_0": "0 至 30 天", "age_1": "31 至 60 天", "age_2": "61 至 90 天",
        "age_3": "超过 90 天", "nothing": "此期间没有记录。", "thanks": "谢谢！",
        "gift": "代金券", "credit": "购物余额券", "worth": "金额", "until_day": "有效期至",
        "no_end": "长期有效", "keep": "凭此码即可消费，请如现金般妥善保管。",
        "day": "日期", "what": "事项", "amount": "金额", "balance": "欠款余额", "signature": "签名",
        "reminder": "{name}您好：您在{store}的记账欠款为{owed}，最早一笔是{since}。方便时请来店结清，谢谢！",
        "reminder_none": "{name}您好：您在{store}的记账已全部结清，谢谢！",
    },
}  # fmt: skip
"""Every word on this paper, in both languages."""


def repayment_slip(
    document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0
) -> list[PaperLine]:
    """Lay out what a customer takes home after paying off the tab (rule 2).

    document: store, customer {name}, local_time, cashier_name, tender, reference, amount_minor, before_minor,
    balance_minor, paid [{day, kind, receipt_no, amount_minor, left_minor}].
    """
    words, currency = WORDS[language], document["store"]["currency"]
    lines = _head(document, "tab_paid", words, columns, copy_no)
    lines += [*pair(document["local_time"], document["cashier_name"], columns), RULE]
    lines += pair(words["before"], amount(document["before_minor"], currency), columns)
    tender = words.get(document["tender"], document["tender"])
    reference = f" {document['reference']}" if document.get("reference") else ""
    figures = price(document["amount_minor"], currency)
    lines += pair(f"{words['paid']}, {tender}{reference}", figures, columns, bold=True, wide=2, tall=2)
    lines += [RULE, PaperLine(words["pays"], bold=True)]
    for row in document["paid"]:
        word = words["old" if row["kind"] == "carried_over" else "of"]
        lines += indented(f"{word} {row['day']}{_receipt(row, words)}", amount(row["amount_minor"], currency), columns)
        if row["left_minor"]:
            lines += indented(f"  {words['left']}", amount(row["left_minor"], currency), columns)
    lines.append(RULE)
    if document["balance_minor"]:
        lines += pair(words["owed"], price(document["balance_minor"], currency), columns, bold=True, wide=2, tall=2)
        lines += [BLANK, *centred(words["thanks"], columns, bold=True)]
    else:
        lines += centred(words["settled"], columns, bold=True)
    return [*lines, CUT]


def statement(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what a customer owes and how it came to that (rule 3).

    document: store, customer {name}, first_day, last_day, opening_minor, closing_minor, ages_minor (four figures, of
    the last day), lines [{day, kind, receipt_no, amount_minor, balance_minor}].
    """
    words, currency = WORDS[language], document["store"]["currency"]
    lines = _head(document, "statement", words, columns, copy_no)
    lines += pair(f"{words['from']} {document['first_day']}", f"{words['until']} {document['last_day']}", columns)
    lines += [RULE, *pair(words["opening"], amount(document["opening_minor"], currency), columns, bold=True)]
    for row in document["lines"]:
        lines += pair(f"{row['day']} {words[row['kind']]}", amount(row["amount_minor"], currency), columns)
        if row.get("receipt_no"):
            lines += indented(_receipt(row, words).strip(" ,"), "", columns)
    if not document["lines"]:
        lines += centred(words["nothing"], columns)
    figures = price(document["closing_minor"], currency)
    lines += [RULE, *pair(words["closing"], figures, columns, bold=True, wide=2, tall=2)]
    if any(document["ages_minor"]):
        lines += [BLANK, PaperLine(words["ages"], bold=True)]
        for n, minor in enumerate(document["ages_minor"]):
            if minor:
                lines += indented(words[f"age_{n}"], amount(minor, currency), columns)
    return [*lines, BLANK, *centred(words["thanks"], columns, bold=True), CUT]


def voucher_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out a voucher to be handed over (rule 4).

    document: store, code, spoken (in groups of four), kind, amount_minor, expires_on (ISO day or None), local_time.
    Of a code that is not revealed its end alone stands on the paper.
    """
    document = vouchers.masked(document) if vouchers.is_mark(document["code"]) else document
    words, currency = WORDS[language], document["store"]["currency"]
    lines = _head(document, document["kind"], words, columns, copy_no)
    lines += centred(price(document["amount_minor"], currency), columns, bold=True, wide=3, tall=3)
    wide = 2 if len(document["spoken"]) * 2 <= columns else 1
    lines += [BLANK, *centred(document["spoken"], columns, bold=True, wide=wide, tall=2), BLANK]
    if not document.get("masked"):
        lines += [PaperLine(document["code"], align="center", kind="qr"), BLANK]
    until = f"{words['until_day']} {document['expires_on']}" if document.get("expires_on") else words["no_end"]
    lines += [*centred(until, columns, bold=True), *centred(words["keep"], columns), RULE]
    return [*lines, *centred(document["local_time"], columns), CUT]


LAYOUTS: dict[str, Callable[..., list[PaperLine]]] = {
    "tab_paid": repayment_slip,
    "statement": statement,
    "voucher": voucher_slip,
}
"""kind of print job -> its layout."""


def statement_rows(document: dict[str, Any], language: str) -> list[list[str]]:
    """Return a statement as rows of a table, its head first; figures with a point and no thousands mark."""
    words, currency = WORDS[language], document["store"]["currency"]

    def figures(minor: int) -> str:
        return amount(minor, currency).replace(",", "")

    rows = [[words["day"], words["what"], words["receipt"], f"{words['amount']} {currency}", words["balance"]]]
    rows.append([document["first_day"], words["opening"], "", "", figures(document["opening_minor"])])
    for row in document["lines"]:
        receipt_no = f"{row['receipt_no']:06d}" if row.get("receipt_no") else ""
        moved = [figures(row["amount_minor"]), figures(row["balance_minor"])]
        rows.append([row["day"], words[row["kind"]], receipt_no, *moved])
    rows.append([document["last_day"], words["closing"].capitalize(), "", "", figures(document["closing_minor"])])
    return rows


def reminder(*, name: str, store: str, owed_minor: int, since: dt.date | None, currency: str, language: str) -> str:
    """Return a friendly text that reminds a customer of the tab, to be copied and sent.

    since: the day of the oldest purchase that is owed; None where nothing is.
    """
    words = WORDS[language]
    if owed_minor <= 0 or since is None:
        return words["reminder_none"].format(name=name, store=store)
    oldest = day_words(since, language)
    return words["reminder"].format(name=name, store=store, owed=price(owed_minor, currency), since=oldest)


# --- inside ---


def _head(document: dict[str, Any], title: str, words: dict[str, str], columns: int, copy_no: int) -> list[PaperLine]:
    lines = store_head(document["store"], columns)
    lines += centred(words[title], columns, bold=True, wide=2, tall=2)
    if copy_no:
        lines += centred(f"*** {words['copy']} {copy_no} ***", columns, bold=True, wide=2, tall=2)
    if document.get("customer", {}).get("name"):
        lines += pair(words["for"], document["customer"]["name"], columns, bold=True)
    return lines


def _receipt(row: dict[str, Any], words: dict[str, str]) -> str:
    return f", {words['receipt']} {row['receipt_no']:06d}" if row.get("receipt_no") else ""
