"""One thing wanted by eight tills at one instant: what each of them asks, and who has won. `race.py` imports this file.

Per case NAME: `NAME_prepare(ctx, k)` once per round, `NAME_try(ctx, token, i)` by every till at once ("won", "lost",
or what went wrong), `NAME_after(ctx, token)` for what must be true afterwards.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

from config.nodes.journal import Context

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
from tests.faults import counter
from tests.faults.adapter import all_books, doors, post, setup
from tests.faults.counter import ANA, STORE, TILLS

__all__ = ["setup"]
FULL_CHECK_EVERY = 25
"""Rounds after which all books are looked at."""
Token = dict[str, Any]


def books(ctx: Any, token: Token) -> list[str]:
    """Look at all the books, every so many rounds."""
    return all_books(ctx) if token["k"] % FULL_CHECK_EVERY == FULL_CHECK_EVERY - 1 else []


def judge(status: int, answer: Any, *codes: str) -> str:
    """Say who won: 201 has; a refusal with one of these codes, or a repeated answer, has lost."""
    if status == 201 or (status == 200 and answer.get("repeated") is False):
        return "won"
    if status == 200 and answer.get("repeated") is True:
        return "lost"
    code = answer.get("error", {}).get("code", "")
    return "lost" if code in codes else f"{status} {code} {str(answer)[:150]}"


def plain(sale_id: str, i: int, **more: Any) -> Token:
    """Return a sale of 2.01 at one of the tills."""
    return counter.basket(sale_id, "", "plain") | {"till_id": TILLS[i % len(TILLS)]} | more


def paid(*tenders: tuple[str, int, str]) -> list[Token]:
    """Return tenders as the till sends them."""
    return [{"tender": name, "amount_minor": minor, "reference": said} for name, minor, said in tenders]


# --- Pay pressed eight times ---


async def pay_prepare(ctx: Any, k: int) -> Token:
    """Return a fresh basket, which every finger on the Pay button sends."""
    return {"k": k, "body": counter.basket(f"pay-{k:08d}", ctx.voucher, counter.KINDS[k % 2]), "reported": set()}


async def pay_try(ctx: Any, token: Token, _i: int) -> str:
    """Press Pay: the others must be answered the same receipt, as a repeat."""
    status, answer = await post(ctx, "ben", "/api/sales", token["body"])
    token["reported"].add(answer.get("receipt_no"))
    return judge(status, answer)


async def pay_after(ctx: Any, token: Token) -> list[str]:
    """All fingers were answered one receipt."""
    reported = token["reported"]
    return ([] if len(reported) == 1 and None not in reported else [f"answered as receipts {reported}"]) + books(
        ctx, token
    )


# --- one receipt brought back ---


async def refund_prepare(ctx: Any, k: int) -> Token:
    """Sell what eight tills will take back."""
    sold = plain(f"sold-{k:08d}", k)
    status, answer = await post(ctx, "ben", "/api/sales", sold)
    assert status == 201, answer
    return {"k": k, "sale_id": sold["id"]}


async def refund_try(ctx: Any, token: Token, i: int) -> str:
    """Take the same loaf back, each till as a return of its own."""
    body = {"id": f"back-{token['k']:08d}-{i}", "till_id": TILLS[i % 4], "sale_id": token["sale_id"]}
    body |= {"lines": [{"n": 1, "qty": 1}]}
    return judge(*await post(ctx, "ana", "/api/returns", body), "more-than-sold")


async def refund_after(ctx: Any, token: Token) -> list[str]:
    """No more came back than was sold."""
    return books(ctx, token)


async def again_prepare(ctx: Any, k: int) -> Token:
    """Sell what one till will take back, pressing eight times."""
    return await refund_prepare(ctx, 10_000 + k) | {"k": k}


async def again_try(ctx: Any, token: Token, _i: int) -> str:
    """Take it back: one command, sent eight times."""
    body = {
        "id": f"again-{token['k']:08d}",
        "till_id": "T1",
        "sale_id": token["sale_id"],
        "lines": [{"n": 1, "qty": 1}],
    }
    return judge(*await post(ctx, "ana", "/api/returns", body))


again_after = refund_after


# --- the last of something ---


async def voucher_prepare(ctx: Any, k: int) -> Token:
    """Sell a voucher that pays for one basket."""
    body = {
        "id": f"gift-{k:08d}", "till_id": "T1", "lines": [{"sku": "GIFT", "qty": 1, "price_minor": 201}],
        "tenders": paid(("cash", 201, "")), "shown_total_minor": 201,
    }  # fmt: skip
    status, answer = await post(ctx, "ben", "/api/sales", body)
    assert status == 201, answer
    return {"k": k, "code": answer["document"]["vouchers"][0]["code"]}


async def voucher_try(ctx: Any, token: Token, i: int) -> str:
    """Pay with it."""
    body = plain(f"spend-{token['k']:08d}-{i}", i, tenders=paid(("voucher", 201, token["code"])))
    return judge(*await post(ctx, "ben", "/api/sales", body), "voucher-too-small")


voucher_after = refund_after


async def tab_prepare(ctx: Any, k: int) -> Token:
    """Take a customer on whose limit is one basket."""
    body = {"id": f"customer-{k:08d}x", "name": f"Wen {k}", "agreed": ["tab"], "limit_minor": 201}
    status, answer = await post(ctx, "ana", "/api/customers", body)
    assert status == 201, answer
    return {"k": k, "customer_id": body["id"]}


async def tab_try(ctx: Any, token: Token, i: int) -> str:
    """Put a basket on the tab."""
    more = {"customer_id": token["customer_id"], "tenders": paid(("tab", 201, ""))}
    return judge(*await post(ctx, "ben", "/api/sales", plain(f"tab-{token['k']:08d}-{i}", i, **more)), "tab-limit")


tab_after = refund_after


async def coupon_prepare(ctx: Any, k: int) -> Token:
    """Make a coupon that can be used once."""
    from pos.catalogue import offers

    with doors(ctx) as opened, opened.write() as session:
        made = offers.make_coupons(Context(session, ANA, dt.datetime.now(dt.UTC)), STORE, "offer-spring", most_uses=1)
    return {"k": k, "code": made[0]}


async def coupon_try(ctx: Any, token: Token, i: int) -> str:
    """Buy with it, for 0.82 instead of 1.02."""
    body = plain(f"coupon-{token['k']:08d}-{i}", i, coupons=[token["code"]], tenders=paid(("cash", 82, "")))
    body |= {"lines": [{"sku": "P00003", "qty": 1}], "shown_total_minor": 82}
    return judge(*await post(ctx, "ben", "/api/sales", body), "coupon-used-up", "total-changed")


coupon_after = refund_after


async def unit_prepare(ctx: Any, k: int) -> Token:
    """Let there be one unit of a product."""
    from pos.stock import stock

    with doors(ctx) as opened, opened.write() as session:
        there = stock.levels(session, STORE, ["P00009"])["P00009"].on_hand
        now = dt.datetime.now(dt.UTC)
        if there < 1:
            missing = [("P00009", 1 - there)]
            stock.open_stock(Context(session, ANA, now), STORE, missing, source_id=f"unit-{k:08d}")
        elif there > 1:
            stock.waste(Context(session, ANA, now), STORE, "P00009", there - 1)
    return {"k": k, "there": 1}


async def unit_try(ctx: Any, token: Token, i: int) -> str:
    """Sell it: the goods are in so many customers' hands, so all of their tills sell it."""
    token["wanted"] = token.get("wanted", 0) + 1
    body = plain(f"unit-{token['k']:08d}-{i}", i, lines=[{"sku": "P00009", "qty": 1}], shown_total_minor=108)
    return judge(*await post(ctx, "ben", "/api/sales", body))


async def unit_after(ctx: Any, token: Token) -> list[str]:
    """The ledger says what went out, to the unit."""
    from pos.stock import stock

    with doors(ctx) as opened, opened.read() as session:
        there = stock.levels(session, STORE, ["P00009"])["P00009"].on_hand
    right = there == token["there"] - token["wanted"]
    return ([] if right else [f"{there} there, after {token['wanted']} of {token['there']}"]) + books(ctx, token)


async def last_prepare(ctx: Any, k: int) -> Token:
    """Let there be one unit of a product, in a store whose tills stop at what the books have."""
    from pos.store import store

    token = await unit_prepare(ctx, k)
    with doors(ctx) as opened, opened.write() as session:
        store.sell_beyond(Context(session, ANA, dt.datetime.now(dt.UTC)), STORE, False)
    return token | {"k": 10_000_000 + k, "wanted": 1}


async def last_try(ctx: Any, token: Token, i: int) -> str:
    """Sell it: one till does, the others are told that the books have no more."""
    body = plain(f"unit-{token['k']:08d}-{i}", i, lines=[{"sku": "P00009", "qty": 1}], shown_total_minor=108)
    return judge(*await post(ctx, "ben", "/api/sales", body), "not-in-stock")


last_after = unit_after


# --- a till closed ---


async def close_prepare(ctx: Any, k: int) -> Token:
    """Close till 4 wherever it is open, open it with its float, and sell there once."""
    from pos.till import shift

    with doors(ctx) as opened, opened.write() as session:
        now = dt.datetime.now(dt.UTC)
        if (before := shift.current(session, STORE, "T4")) is not None:
            shift.close(Context(session, ANA, now), before, before.expected_minor, why="next round")
        found = shift.open_shift(Context(session, ANA, now), STORE, "T4", 10_000)
        token = {"k": k, "shift_id": found.id, "reported": set()}
    status, answer = await post(ctx, "ben", "/api/sales", plain(f"first-{k:08d}", 3))
    assert status == 201, answer
    return token


async def close_try(ctx: Any, token: Token, i: int) -> str:
    """One closes the till, seven sell at it: each sale is before Z or refused."""
    if i == token["k"] % 8:
        body = {"id": f"count-{token['k']:08d}", "counted_minor": 10_201, "why": "in a hurry"}
        return judge(*await post(ctx, "ana", f"/api/shifts/{token['shift_id']}/close", body))
    body = plain(f"late-{token['k']:08d}-{i}", 3)
    sold = judge(*await post(ctx, "ben", "/api/sales", body), "no-open-shift", "shift-counting", "till-closed")
    return "lost" if sold == "won" else sold


async def close_after(ctx: Any, token: Token) -> list[str]:
    """Z counts exactly the sales of its shift."""
    import sqlalchemy as sa

    from pos.sold import Sale
    from pos.till.shift_book import Shift

    with doors(ctx) as opened, opened.read() as session:
        found = session.get_one(Shift, (STORE, token["shift_id"]))
        query = sa.select(sa.func.count(), sa.func.sum(Sale.total_minor)).where(Sale.shift_id == found.id)
        sales, total_minor = session.execute(query).one()
        z = found.z_report or {}
    reported = (z.get("sales_count"), z.get("total_minor"), found.expected_minor)
    right = (sales, total_minor, 10_000 + total_minor)
    return ([] if reported == right else [f"Z tells {reported}, the books {right}"]) + books(ctx, token)


closing_prepare = close_prepare


async def closing_try(ctx: Any, token: Token, _i: int) -> str:
    """Eight close the same till: one Z, answered to all."""
    body = {"id": f"count-{token['k']:08d}", "counted_minor": 10_201}
    status, answer = await post(ctx, "ana", f"/api/shifts/{token['shift_id']}/close", body)
    token["reported"].add(answer.get("z_no"))
    return judge(status, answer)


closing_after = pay_after


# --- a basket set aside ---


async def resume_prepare(ctx: Any, k: int) -> Token:
    """Set a basket aside."""
    body = {"till_id": "T1", "label": "blue coat", "total_minor": 201, "basket": {"k": k}}
    status, answer = await post(ctx, "ben", f"/api/baskets/parked-{k:08d}/park", body)
    assert status == 200, answer
    return {"k": k, "id": f"parked-{k:08d}", "tills": set()}


async def resume_try(ctx: Any, token: Token, i: int) -> str:
    """Take it up: one till has it, and is answered the same when it asks again."""
    till_id = TILLS[i % 4]
    status, answer = await post(ctx, "ben", f"/api/baskets/{token['id']}/resume", {"till_id": till_id})
    if status != 200:
        return judge(status, answer, "basket-taken")
    again = till_id in token["tills"]
    token["tills"].add(till_id)
    return "lost" if again else "won"


resume_after = refund_after


async def given_up_prepare(ctx: Any, k: int) -> Token:
    """Set a basket aside that four tills will give up and four sell."""
    return await resume_prepare(ctx, 50_000 + k) | {"k": k, "done": set()}


async def given_up_try(ctx: Any, token: Token, i: int) -> str:
    """Give it up, or sell it: either all who gave it up are told so, or one sale is made."""
    if i % 2:
        body = {"till_id": "T1", "why": "the customer left", "total_minor": 201}
        status, answer = await post(ctx, "ana", f"/api/baskets/{token['id']}/void", body)
        word = "voided" if status == 200 else judge(status, answer, "already-sold")
    else:
        status, answer = await post(ctx, "ben", "/api/sales", plain(token["id"], 0))
        word = "sold" if status in (200, 201) else judge(status, answer, "basket-voided")
    if word in ("voided", "sold"):
        first = not token["done"] or word not in token["done"]
        token["done"].add(word)
        return "won" if first else "lost"
    return word


given_up_after = refund_after
