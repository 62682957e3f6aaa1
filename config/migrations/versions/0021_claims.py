"""Goods on sale or return, claims with photos, goods that go back, and the terms of an offer.

Revision ID: 0021
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("claim_no", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("photos", sa.BigInteger(), nullable=False),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("granted_minor", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("contest", sa.Text(), nullable=False),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_claim")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index("ix_claim_delivery", ["store_id", "delivery_id"], unique=False)
        batch_op.create_index("ix_claim_state", ["state"], unique=False)

    op.create_table(
        "claim_photo",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_claim_photo")),
    )
    with op.batch_alter_table("claim_photo", schema=None) as batch_op:
        batch_op.create_index("ix_claim_photo_claim", ["store_id", "claim_id"], unique=False)

    op.create_table(
        "claim_photo_piece",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("photo_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "photo_id", "n", name=op.f("pk_claim_photo_piece")),
    )
    op.create_table(
        "consigned",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("came_qty", sa.BigInteger(), nullable=False),
        sa.Column("ahead_qty", sa.BigInteger(), nullable=False),
        sa.Column("left_qty", sa.BigInteger(), nullable=False),
        sa.Column("sold_qty", sa.BigInteger(), nullable=False),
        sa.Column("back_qty", sa.BigInteger(), nullable=False),
        sa.Column("bought_qty", sa.BigInteger(), nullable=False),
        sa.Column("told_step", sa.BigInteger(), nullable=False),
        sa.Column("charged_qty", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "came_qty = left_qty + sold_qty + back_qty + bought_qty and left_qty >= 0 and ahead_qty >= 0",
            name=op.f("ck_consigned_adds_up"),
        ),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_consigned")),
    )
    with op.batch_alter_table("consigned", schema=None) as batch_op:
        batch_op.create_index("ix_consigned_left", ["store_id", "sku", "left_qty"], unique=False)

    op.create_table(
        "consigned_move",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("consigned_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_consigned_move_qty_positive")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_consigned_move")),
    )
    with op.batch_alter_table("consigned_move", schema=None) as batch_op:
        batch_op.create_index("ix_consigned_move_day", ["store_id", "business_day"], unique=False)
        batch_op.create_index("ix_consigned_move_lot", ["store_id", "consigned_id"], unique=False)
        batch_op.create_index("ix_consigned_move_source", ["store_id", "source_id"], unique=False)

    op.create_table(
        "goods_return",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("send_by", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_goods_return")),
    )
    with op.batch_alter_table("goods_return", schema=None) as batch_op:
        batch_op.create_index("ix_goods_return_state", ["state"], unique=False)

    op.create_table(
        "claim_line",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("granted_qty", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "granted_qty is null or granted_qty between 0 and qty", name=op.f("ck_claim_line_granted_fits")
        ),
        sa.CheckConstraint("qty > 0", name=op.f("ck_claim_line_qty_positive")),
        sa.ForeignKeyConstraint(
            ["store_id", "claim_id"], ["claim.store_id", "claim.id"], name=op.f("fk_claim_line_store_id_claim_id_claim")
        ),
        sa.PrimaryKeyConstraint("store_id", "claim_id", "sku", "kind", name=op.f("pk_claim_line")),
    )
    op.create_table(
        "goods_return_line",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("sent_qty", sa.BigInteger(), nullable=True),
        sa.Column("received_qty", sa.BigInteger(), nullable=True),
        sa.Column("fit_qty", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("qty > 0", name=op.f("ck_goods_return_line_qty_positive")),
        sa.ForeignKeyConstraint(
            ["store_id", "return_id"],
            ["goods_return.store_id", "goods_return.id"],
            name=op.f("fk_goods_return_line_store_id_return_id_goods_return"),
        ),
        sa.PrimaryKeyConstraint("store_id", "return_id", "sku", name=op.f("pk_goods_return_line")),
    )
    with op.batch_alter_table("push_offer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("terms", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("care_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("push_offer", schema=None) as batch_op:
        batch_op.drop_column("care_minor")
        batch_op.drop_column("terms")

    op.drop_table("goods_return_line")
    op.drop_table("claim_line")
    with op.batch_alter_table("goods_return", schema=None) as batch_op:
        batch_op.drop_index("ix_goods_return_state")

    op.drop_table("goods_return")
    with op.batch_alter_table("consigned_move", schema=None) as batch_op:
        batch_op.drop_index("ix_consigned_move_source")
        batch_op.drop_index("ix_consigned_move_lot")
        batch_op.drop_index("ix_consigned_move_day")

    op.drop_table("consigned_move")
    with op.batch_alter_table("consigned", schema=None) as batch_op:
        batch_op.drop_index("ix_consigned_left")

    op.drop_table("consigned")
    op.drop_table("claim_photo_piece")
    with op.batch_alter_table("claim_photo", schema=None) as batch_op:
        batch_op.drop_index("ix_claim_photo_claim")

    op.drop_table("claim_photo")
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_index("ix_claim_state")
        batch_op.drop_index("ix_claim_delivery")

    op.drop_table("claim")
