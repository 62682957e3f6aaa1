"""What goes without asking, what edits teach, and baskets that wait for the supplier's minimum.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from config.database import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_rule",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("most_order_minor", sa.BigInteger(), nullable=False),
        sa.Column("most_week_minor", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_order_rule_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "supplier_id", name=op.f("pk_order_rule")),
    )
    op.create_table(
        "order_lesson",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("taught_qty", sa.BigInteger(), nullable=False),
        sa.Column("taught_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_order_lesson_sku_product")),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_order_lesson_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_order_lesson")),
    )
    op.create_table(
        "order_replay",
        sa.Column("scope_kind", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("scope_kind", "scope_id", name=op.f("pk_order_replay")),
    )
    with op.batch_alter_table("replenishment_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("postponed", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("by_rule", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("teaches", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_column("teaches")
    with op.batch_alter_table("replenishment_order", schema=None) as batch_op:
        batch_op.drop_column("by_rule")
        batch_op.drop_column("postponed")
    op.drop_table("order_replay")
    op.drop_table("order_lesson")
    op.drop_table("order_rule")
