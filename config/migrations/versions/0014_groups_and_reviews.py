"""Group buys, demand known beforehand, lists from outside, and reviews.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "group_offer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("threshold_qty", sa.BigInteger(), nullable=False),
        sa.Column("case_qty", sa.BigInteger(), nullable=False),
        sa.Column("minimum_cases", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("van_day", sa.Date(), nullable=False),
        sa.Column("pickup_until", sa.Date(), nullable=False),
        sa.Column("shop_takes", sa.BigInteger(), nullable=False),
        sa.Column("commission_bp", sa.BigInteger(), nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("arrived_qty", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("taken_qty", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_offer")),
    )
    with op.batch_alter_table("group_offer", schema=None) as batch_op:
        batch_op.create_index("ix_group_offer_store", ["store_id", "state"], unique=False)

    op.create_table(
        "outside_place",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "listed_on", "place", name=op.f("pk_outside_place")),
    )
    with op.batch_alter_table("outside_place", schema=None) as batch_op:
        batch_op.create_index("ix_outside_place_day", ["listed_on", "sku"], unique=False)

    op.create_table(
        "planned_demand",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_planned_demand_qty_positive")),
        sa.PrimaryKeyConstraint("store_id", "source", "sku", name=op.f("pk_planned_demand")),
    )
    op.create_table(
        "review",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("stars", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_why", sa.Text(), nullable=False),
        sa.Column("decided_why", sa.Text(), nullable=False),
        sa.CheckConstraint("stars between 1 and 5", name=op.f("ck_review_stars_one_to_five")),
        sa.PrimaryKeyConstraint("store_id", "order_id", "sku", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_product", ["store_id", "sku"], unique=False)

    op.create_table(
        "group_member",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("want_qty", sa.BigInteger(), nullable=False),
        sa.Column("upto_qty", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gets_qty", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["group_offer.id"], name=op.f("fk_group_member_group_id_group_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_member")),
    )
    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.create_index("ix_group_member_group", ["group_id", "joined_at"], unique=False)
        batch_op.create_index("ix_group_member_token_hash", ["token_hash"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("group_member", schema=None) as batch_op:
        batch_op.drop_index("ix_group_member_token_hash")
        batch_op.drop_index("ix_group_member_group")

    op.drop_table("group_member")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_product")

    op.drop_table("review")
    op.drop_table("planned_demand")
    with op.batch_alter_table("outside_place", schema=None) as batch_op:
        batch_op.drop_index("ix_outside_place_day")

    op.drop_table("outside_place")
    with op.batch_alter_table("group_offer", schema=None) as batch_op:
        batch_op.drop_index("ix_group_offer_store")

    op.drop_table("group_offer")
