"""The arithmetic of a group buy: the price that so many units reach, full cases, and a fair share. Pure.

Rules
-----
1. The price falls with what the group takes together: the last step reached holds for everybody.
2. Cases are full. What is missing to the next full case is filled by those who said they would take more ("2, up to
   5"), each in proportion to how much more, the earlier member first where shares are equal; if that is not enough, by
   the shop itself as far as it said. Else the last case is left out, and what it would have held is taken off those who
   joined last.
3. When fewer units arrive than were ordered, everybody keeps one before anybody keeps two: units are dealt out in
   rounds, in the order of joining.
4. What is left over belongs to the shop. Nobody gets more than they said, and together never more than there is.
5. The leader's commission is reckoned on the price of the goods alone, without tax and deposit. Where a part of a
   share's money went back, so much of its goods counts as brought back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from config.money import BASIS, share_out


@dataclass(frozen=True)
class Wish:
    """What a member wants: `want` for sure, `upto` at most. In the order of joining."""

    id: str
    want: int
    upto: int


@dataclass(frozen=True)
class Filled:
    """cases to order, what each member gets of them, and what the shop takes itself."""

    cases: int
    gets: dict[str, int]
    shop_qty: int


def price_at(steps: Sequence[tuple[int, int]], qty: int) -> int:
    """Return the price of a unit when the group takes `qty` together (rule 1); steps: (from quantity, price_minor)."""
    reached = [price_minor for from_qty, price_minor in steps if from_qty <= qty]
    return reached[-1] if reached else steps[0][1]


def commission(goods_minor: int, total_minor: int, left_minor: int, commission_bp: int) -> int:
    """Return the leader's part of a share (rule 5), rounded down.

    goods_minor: its goods without tax and deposit, of total_minor in all; left_minor: what was not sent back of that.
    """
    return goods_minor * left_minor * commission_bp // (total_minor * BASIS) if total_minor else 0


def fill(wishes: Sequence[Wish], case_qty: int, shop_takes: int = 0) -> Filled:
    """Fill cases with what the members want (rule 2)."""
    gets = {wish.id: wish.want for wish in wishes}
    total = sum(gets.values())
    missing = -total % case_qty
    spare = [wish.upto - wish.want for wish in wishes]
    if missing and sum(spare) + shop_takes >= missing:
        more = min(missing, sum(spare))
        for wish, extra in zip(wishes, share_out(more, spare) if more else [0] * len(spare), strict=True):
            gets[wish.id] += extra
        return Filled((total + missing) // case_qty, gets, missing - more)
    over = total % case_qty
    for wish in reversed(wishes):
        cut = min(over, gets[wish.id])
        gets[wish.id] -= cut
        over -= cut
    return Filled(total // case_qty, gets, 0)


def deal(wanted: Sequence[tuple[str, int]], arrived: int) -> dict[str, int]:
    """Deal arrived units out in rounds, in the order of joining (rule 3); never more than wanted."""
    gets = dict.fromkeys((member for member, _ in wanted), 0)
    left = max(0, arrived)
    while left:
        open_qty = [(member, qty - gets[member]) for member, qty in wanted if gets[member] < qty]
        if not open_qty:
            break
        rounds = max(1, min(left // len(open_qty), min(qty for _, qty in open_qty)))
        for member, _ in open_qty[:left]:
            gets[member] += rounds
            left -= rounds
    return gets
