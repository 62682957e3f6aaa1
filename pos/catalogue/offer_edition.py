"""An owner's offers as they travel to other nodes: the network's to all shops, a shop's own to its online shop."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.nodes.publication import EVERYONE
from pos.catalogue.offers import Coupon, OfferEdition, StandingOffer, renew


def take_edition(session: Session, body: dict[str, Any], owner_id: str = EVERYONE) -> None:
    """Take over an owner's offers as `edition` wrote them, with their codes; uses are counted shop by shop."""
    for wire in body["offers"]:
        row = session.get(StandingOffer, wire["id"]) or StandingOffer(id=wire["id"], owner_id=owner_id)
        if row.owner_id != owner_id:
            raise Refused("not-our-offer", "This offer belongs to somebody else.", offer_id=wire["id"])
        for name in ("name", "kind", "needs_coupon", "terms", "made_by"):
            setattr(row, name, wire[name])
        row.from_day, row.until_day = _day(wire["from_day"]), _day(wire["until_day"])
        row.made_at, row.ended_at = _instant(wire["made_at"]), _instant(wire["ended_at"])
        session.add(row)
        session.flush()
        for code, most_uses, made_at, *rest in wire["codes"]:  # a network of before says no last day
            if session.get(Coupon, (owner_id, code)) is None:
                session.add(
                    Coupon(
                        owner_id=owner_id, code=code, offer_id=row.id, most_uses=most_uses, uses=0,
                        made_at=_instant(made_at), until_day=_day(rest[0]) if rest else None,
                    )
                )  # fmt: skip
    renew(session, owner_id)


def edition(session: Session, owner_id: str = EVERYONE) -> dict[str, Any]:
    """Return an owner's offers, ended ones too, as other nodes take them over; nothing before there is any."""
    codes: dict[str, list[list[Any]]] = {}
    for coupon in session.scalars(sa.select(Coupon).where(Coupon.owner_id == owner_id).order_by(Coupon.code)):
        made_at = coupon.made_at.isoformat()
        until = [coupon.until_day.isoformat()] if coupon.until_day else []
        codes.setdefault(coupon.offer_id, []).append([coupon.code, coupon.most_uses, made_at, *until])
    query = sa.select(StandingOffer).where(StandingOffer.owner_id == owner_id).order_by(StandingOffer.id)
    rows = [
        {
            "id": row.id,
            "name": row.name,
            "kind": row.kind,
            "from_day": row.from_day.isoformat() if row.from_day else None,
            "until_day": row.until_day.isoformat() if row.until_day else None,
            "needs_coupon": row.needs_coupon,
            "terms": row.terms,
            "made_by": row.made_by,
            "made_at": row.made_at.isoformat(),
            "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            "codes": codes.get(row.id, []),
        }
        for row in session.scalars(query)
    ]
    return {"offers": rows} if rows else {}


def token_of(session: Session, owner_id: str) -> str:
    """Return the token of an owner's present offers; '' before there is any (rule 6)."""
    row = session.get(OfferEdition, owner_id)
    return row.token if row is not None else ""


def _instant(text: str | None) -> Any:
    return dt.datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
