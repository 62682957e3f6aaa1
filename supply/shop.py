"""The store's online shop, as the network serves it: what can be ordered, within the allowance the store published.

Rules
-----
1. The store is the authority on its stock. It publishes per product how many units may be promised; the network
   sells against that and never more (an order takes from it in one conditional update).
2. A newer allowance replaces an older one, less what was ordered since it was made.
3. Prices are the till's: the store publishes them with the allowance.
"""

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base


class ShopOffer(Base):
    """A product in a store's online shop: price, allowance, and how much of it was taken since."""

    __tablename__ = "shop_offer"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    price_minor: Mapped[int]
    allowance_qty: Mapped[int]
    taken_qty: Mapped[int] = mapped_column(default=0)
    shelf_rank: Mapped[int | None]
    """Slot on the live bestseller shelf."""
    published_at: Mapped[dt.datetime]
