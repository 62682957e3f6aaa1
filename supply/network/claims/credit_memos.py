"""Credit memos of a store's own suppliers, settled against the claims they answer and the invoice they lower.

Rules
-----
1. What a memo refers to is a proposal: claims by their number, the claims of an invoice it names, else those about
   the deliveries of its order. Nothing is settled before a person approves, and that person says what it answers.
2. Before tax, as claims are: a memo fills the claims chosen, the oldest first, and each at most to what is left of it.
   One that gives more, or a claim of another supplier, is refused.
3. Where it gives less, the rest stays open for another memo, or the claims end with what they got.
4. With tax it is taken off one invoice of that supplier, if one is chosen (`supplier_documents.lower`).
5. It is settled once, with its approval.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Refused
from config.nodes.journal import Context
from supply.network.claims import handling
from supply.orders import claims
from supply.orders.claims import Claim, ClaimLine
from supply.orders.deliveries import Delivery
from supply.orders.suppliers import supplier_of
from supply.receiving.documents import supplier_documents
from supply.receiving.documents.document import CREDIT, plain
from supply.receiving.documents.supplier_documents import SupplierPaper

_MOST_CLAIMS = 60


@dataclass(frozen=True)
class OpenClaim:
    """A claim that a memo may answer. left_minor: what is left of it, before tax."""

    claim: Claim
    lines: Sequence[ClaimLine]
    left_minor: int
    is_named: bool


@dataclass(frozen=True)
class Comparison:
    """A memo beside what it answers. unknown_refs: named invoices that are not here; asked_minor: of those chosen."""

    open_claims: Sequence[OpenClaim]
    chosen: Sequence[OpenClaim]
    given_minor: int
    asked_minor: int
    strangers: Sequence[OpenClaim]
    """Chosen claims none of whose products stands on the memo, though all its lines are known products."""
    unknown_refs: Sequence[str]
    invoices: Sequence[tuple[SupplierPaper, int]]
    """The supplier's invoices with what is left to pay, the latest first."""
    invoice: SupplierPaper | None


def compare(
    session: Session, row: SupplierPaper, claim_ids: Collection[str] | None = None, invoice_id: str | None = None
) -> Comparison:
    """Return a memo beside the claims and the invoice chosen; None: those it refers to (rule 1)."""
    document, invoices = row.document, supplier_documents.invoices_of(session, row.store_id, row.supplier_id)
    refs = {plain(one): one for one in document.invoice_refs}
    named = [one for one in invoices if plain(one.number) in refs]
    found = _open_claims(session, row, named)
    wanted = {one.claim.id for one in found if one.is_named} if claim_ids is None else set(claim_ids)
    chosen = [one for one in found if one.claim.id in wanted]
    listed = {one.sold.sku if one.sold else "" for one in supplier_documents.matched(session, row)}
    left = [(one, supplier_documents.left_to_pay(session, one)) for one in invoices]
    if invoice_id is None:
        invoice_id = next((one.id for one, rest in left if one in named and rest >= row.payable_minor), "")
    return Comparison(
        found, chosen, document.net_minor, sum(one.left_minor for one in chosen),
        [one for one in chosen if "" not in listed and not listed & {line.sku for line in one.lines}],
        [said for number, said in refs.items() if number not in {plain(one.number) for one in named}],
        [(one, rest) for one, rest in left if rest > 0],
        next((one for one in invoices if one.id == invoice_id), None),
    )  # fmt: skip


def settle(
    ctx: Context, store_id: str, id: str, claim_ids: Collection[str], invoice_id: str, *, is_all: bool
) -> SupplierPaper:
    """Approve a memo, and settle what it answers (rules 2 to 5). is_all: the claims end though it gives less."""
    row = supplier_documents.approve(ctx, store_id, id)
    if row.kind != CREDIT:
        raise Refused("no-credit-memo", "Only a credit memo settles claims.")
    left = row.document.net_minor
    chosen = [claims.claim_of(ctx.session, store_id, claim_id) for claim_id in sorted(set(claim_ids))]
    asked = sum(_left_of(ctx.session, row, claim) for claim in chosen)
    if chosen and left > asked:
        raise Refused("credit-exceeds-claims", "It gives back %(given_minor)s before tax, but the claims you chose ask "
                      "for %(asked_minor)s. Choose every claim it answers, or none and ask the supplier what it is "
                      "for.", given_minor=left, asked_minor=asked, currency=row.document.currency)  # fmt: skip
    for claim in sorted(chosen, key=lambda one: (one.filed_at, one.id)):
        part = min(left, claims.left_to_credit(ctx.session, claim))
        if not part:
            raise Refused("claim-gets-nothing", "Nothing of it is left for claim %(no)s. Take that claim out.",
                          no=claim.claim_no)  # fmt: skip
        handling.credited(ctx, claim, row.id, part, words=row.number, is_all=is_all)
        left -= part
    if invoice_id:
        supplier_documents.lower(ctx, row, invoice_id)
    return row


def settled_by(session: Session, row: SupplierPaper) -> list[tuple[Claim, int]]:
    """Return the claims that a memo settled, and how much of each."""
    query = (
        sa.select(Claim, claims.ClaimCredit.amount_minor)
        .join(claims.ClaimCredit, sa.and_(claims.ClaimCredit.store_id == Claim.store_id,
                                          claims.ClaimCredit.claim_id == Claim.id))
        .where(Claim.store_id == row.store_id, claims.ClaimCredit.paper_id == row.id)
    )  # fmt: skip
    return [(claim, amount_minor) for claim, amount_minor in session.execute(query.order_by(Claim.claim_no))]


# --- inside ---


def _left_of(session: Session, row: SupplierPaper, claim: Claim) -> int:
    if claim.supplier_id != row.supplier_id:
        raise Refused("claim-of-another", "Claim %(no)s is not about a delivery from %(name)s. Take that claim out.",
                      no=claim.claim_no, name=supplier_of(session, row.supplier_id).name)  # fmt: skip
    if not (left := claims.left_to_credit(session, claim)):
        raise Conflict("claim-settled", "Claim %(no)s is already settled. Take that claim out.", no=claim.claim_no)
    return left


def _open_claims(session: Session, row: SupplierPaper, invoices: Sequence[SupplierPaper]) -> list[OpenClaim]:
    """Return the supplier's claims that a memo may answer, the oldest first (rule 1)."""
    query = sa.select(Claim).where(
        Claim.store_id == row.store_id, Claim.supplier_id == row.supplier_id,
        Claim.state.in_([*claims.WAITING, *claims.PAID_LATER]),
    )  # fmt: skip
    latest = list(session.scalars(query.order_by(Claim.filed_at.desc(), Claim.id.desc()).limit(_MOST_CLAIMS)))
    found = [(one, left) for one in reversed(latest) if (left := claims.left_to_credit(session, one))]
    named = _named(session, row, [claim for claim, _left in found], invoices)
    return [OpenClaim(one, claims.lines_of(session, one), left, one.id in named) for one, left in found]


def _named(session: Session, row: SupplierPaper, found: Sequence[Claim], invoices: Sequence[SupplierPaper]) -> set[str]:
    number = re.search(r"(\d{1,9})\D*$", row.document.buyer_ref)
    mark = supplier_documents.CLAIM
    of_invoices = {how.removeprefix(mark) for one in invoices for how in one.answers.values() if how.startswith(mark)}
    by_word = {
        one.id for one in found if (number and one.claim_no == int(number[1])) or one.id in of_invoices
    }  # fmt: skip
    if by_word or row.order_id is None:
        return by_word
    about = sa.select(Delivery.id).where(Delivery.store_id == row.store_id, Delivery.order_id == row.order_id)
    deliveries = set(session.scalars(about))
    return {one.id for one in found if one.delivery_id in deliveries}
