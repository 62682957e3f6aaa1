"""Goods of local producers: whose they are, their lots, moves, statements, stories and pictures.

Revision ID: 0024c
Revises: 0024b
"""

import sqlalchemy as sa
from alembic import op

revision = "0024c"
down_revision = "0024b"
branch_labels = None
depends_on = None


def text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=optional)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def instant(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def upgrade() -> None:
    op.create_table(
        "producer",
        text("store_id"), text("id"), text("name"), text("kind"), text("place"), text("phone"), text("account"),
        number("commission_bp"), text("agent_name"), number("agent_bp"), instant("joined_at"),
        sa.CheckConstraint(
            "agent_bp >= 0 and agent_bp <= commission_bp", name=op.f("ck_producer_agent_within_commission")
        ),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_producer")),
    )  # fmt: skip
    op.create_table(
        "produce_goods",
        text("store_id"), text("sku"), text("producer_id"), text("story"),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_produce_goods")),
    )  # fmt: skip
    op.create_table(
        "produce_lot",
        text("store_id"), text("id"), text("producer_id"), text("sku"), text("code"),
        sa.Column("harvested_on", sa.Date(), nullable=True), sa.Column("came_on", sa.Date(), nullable=False),
        instant("came_at"), number("came_qty"), number("left_qty"), number("back_qty"), number("lost_qty"),
        sa.CheckConstraint(
            "left_qty >= 0 and back_qty >= 0 and lost_qty >= 0", name=op.f("ck_produce_lot_none_below_zero")
        ),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_produce_lot")),
        sa.UniqueConstraint("store_id", "code", name=op.f("uq_produce_lot_store_id_code")),
    )  # fmt: skip
    op.create_index("ix_produce_lot_left", "produce_lot", ["store_id", "sku", "left_qty"])
    op.create_table(
        "produce_move",
        text("store_id"), text("id"), text("producer_id"), text("sku"), text("lot_id", optional=True), text("sale_id"),
        number("line_n"), number("qty"), number("net_minor"), number("commission_minor"), number("agent_minor"),
        number("due_minor"), text("answers_id", optional=True), sa.Column("business_day", sa.Date(), nullable=False),
        instant("at"), text("statement_id", optional=True),
        sa.CheckConstraint(
            "qty <> 0 and net_minor = commission_minor + due_minor", name=op.f("ck_produce_move_adds_up")
        ),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_produce_move")),
    )  # fmt: skip
    op.create_index("ix_produce_move_lot", "produce_move", ["store_id", "lot_id"])
    op.create_index("ix_produce_move_sale", "produce_move", ["store_id", "sale_id"])
    op.create_index("ix_produce_move_answers", "produce_move", ["store_id", "answers_id"])
    op.create_index("ix_produce_move_open", "produce_move", ["store_id", "producer_id", "statement_id"])
    op.create_table(
        "produce_statement",
        text("store_id"), text("id"), text("producer_id"), number("no"),
        sa.Column("until_day", sa.Date(), nullable=False), number("net_minor"), number("commission_minor"),
        number("agent_minor"), number("due_minor"), number("carried_minor"), instant("made_at"), text("made_by"),
        instant("paid_at", optional=True), text("paid_how"),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_produce_statement")),
        sa.UniqueConstraint("store_id", "producer_id", "no", name=op.f("uq_produce_statement_store_id_producer_id_no")),
    )  # fmt: skip
    op.create_table(
        "produce_picture",
        text("store_id"), text("sku"), text("id"), sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        instant("put_at"),
        sa.PrimaryKeyConstraint("store_id", "sku", "id", name=op.f("pk_produce_picture")),
    )  # fmt: skip
    op.create_table(
        "told_story",
        text("store_id"), text("sku"), number("edition"), text("producer"), text("kind"), text("place"), text("story"),
        text("lot_code"), sa.Column("harvested_on", sa.Date(), nullable=True),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "sku", name=op.f("pk_told_story")),
    )  # fmt: skip


def downgrade() -> None:
    for name in ("told_story", "produce_picture", "produce_statement"):
        op.drop_table(name)
    for name in ("open", "answers", "sale", "lot"):
        op.drop_index(f"ix_produce_move_{name}", table_name="produce_move")
    op.drop_table("produce_move")
    op.drop_index("ix_produce_lot_left", table_name="produce_lot")
    for name in ("produce_lot", "produce_goods", "producer"):
        op.drop_table(name)
