"""Points shared by the shops of the network: scheme, who takes part, accounts, members, and their one book.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def _words(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "shared_scheme",
        sa.Column("from_day", sa.Date(), nullable=False),
        *_words("name", "currency"),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_numbers("points", "per_minor", "worth_minor", "least_points", "expiry_months"),
        *_words("lapsed_to"),
        *_numbers("notice_days"),
        sa.PrimaryKeyConstraint("from_day", name=op.f("pk_shared_scheme")),
    )
    op.create_table(
        "shared_part",
        *_words("store_id"),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "from_day", name=op.f("pk_shared_part")),
    )
    op.create_table(
        "shared_account",
        *_words("store_id", "customer_id", "key"),
        *_numbers("points", "told_points", "told_n"),
        sa.PrimaryKeyConstraint("store_id", "customer_id", name=op.f("pk_shared_account")),
    )
    op.create_table(
        "shared_points_entry",
        *_words("store_id", "id", "customer_id", "member_id"),
        *_numbers("n"),
        *_words("kind"),
        *_numbers("points", "amount_minor"),
        *_words("sale_id"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        *_words("actor_id"),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_shared_points_entry")),
    )
    with op.batch_alter_table("shared_points_entry") as batch:
        batch.create_index("ix_shared_points_entry_sale", ["store_id", "sale_id"])
        batch.create_index("ix_shared_points_entry_member", ["member_id", "n"])
    op.create_table(
        "points_member",
        *_words("id"),
        sa.Column("key", sa.Text(), nullable=True),
        *_numbers("points", "lines"),
        sa.Column("moved_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_points_member")),
        sa.UniqueConstraint("key", name=op.f("uq_points_member_key")),
    )
    op.create_table(
        "points_link",
        *_words("store_id", "customer_id", "member_id"),
        sa.Column("has_left", sa.Boolean(), nullable=False),
        sa.Column("word_at", sa.DateTime(timezone=True), nullable=False),
        *_numbers("told"),
        sa.PrimaryKeyConstraint("store_id", "customer_id", name=op.f("pk_points_link")),
    )
    with op.batch_alter_table("points_link") as batch:
        batch.create_index("ix_points_link_member_id", ["member_id"])


def downgrade() -> None:
    for name in (
        "points_link", "points_member", "shared_points_entry", "shared_account", "shared_part", "shared_scheme",
    ):  # fmt: skip
        op.drop_table(name)
