"""How orders reach a supplier, what was sent, and costs that begin on a day.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("supplier", schema=None) as batch_op:
        batch_op.add_column(sa.Column("send_by", sa.Text(), server_default="paper", nullable=False))
        batch_op.add_column(sa.Column("email", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("customer_no", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("language", sa.Text(), server_default="en", nullable=False))
        batch_op.add_column(sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False))
    with op.batch_alter_table("supplier_product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("article_no", sa.Text(), server_default="", nullable=False))

    op.create_table(
        "supplier_cost",
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("pack_cost_minor >= 0", name=op.f("ck_supplier_cost_cost_not_negative")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_supplier_cost_sku_product")),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_supplier_cost_supplier_id_supplier")),
        sa.PrimaryKeyConstraint("supplier_id", "sku", "from_day", name=op.f("pk_supplier_cost")),
    )
    op.create_table(
        "order_budget",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("week_minor", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_order_budget_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_order_budget")),
    )
    op.create_table(
        "order_wish",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("room_qty", sa.BigInteger(), nullable=True),
        sa.Column("show_qty", sa.BigInteger(), nullable=False),
        sa.Column("service_bp", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_order_wish_sku_product")),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_order_wish_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_order_wish")),
    )
    op.create_table(
        "order_letter",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("fault_code", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id", "order_id"],
            ["replenishment_order.store_id", "replenishment_order.id"],
            name=op.f("fk_order_letter_store_id_replenishment_order"),
        ),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_order_letter")),
    )
    with op.batch_alter_table("order_letter", schema=None) as batch_op:
        batch_op.create_index("ix_order_letter_due", ["state", "try_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("order_letter", schema=None) as batch_op:
        batch_op.drop_index("ix_order_letter_due")
    op.drop_table("order_letter")
    op.drop_table("order_wish")
    op.drop_table("order_budget")
    op.drop_table("supplier_cost")
    with op.batch_alter_table("supplier_product", schema=None) as batch_op:
        batch_op.drop_column("article_no")
    with op.batch_alter_table("supplier", schema=None) as batch_op:
        for name in ("active", "language", "customer_no", "email", "send_by"):
            batch_op.drop_column(name)
