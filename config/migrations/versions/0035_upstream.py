"""Whom the network buys from: a purchase names its supplier and its order day, and has a letter like an order.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase", sa.Column("supplier_id", sa.Text(), nullable=True))
    op.add_column("purchase", sa.Column("order_day", sa.Date(), nullable=True))
    with op.batch_alter_table("order_letter") as batch:
        batch.drop_constraint("fk_order_letter_store_id_replenishment_order", type_="foreignkey")


def downgrade() -> None:
    op.execute("delete from order_letter where store_id not in (select id from store)")
    with op.batch_alter_table("order_letter") as batch:
        batch.create_foreign_key(
            "fk_order_letter_store_id_replenishment_order",
            "replenishment_order",
            ["store_id", "order_id"],
            ["store_id", "id"],
        )
    op.drop_column("purchase", "order_day")
    op.drop_column("purchase", "supplier_id")
