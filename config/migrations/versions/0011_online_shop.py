"""Online orders at the till's price: windows, savings, deposits, replacements; the shop's rules for them.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "customer_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_message")),
    )
    with op.batch_alter_table("customer_message", schema=None) as batch_op:
        batch_op.create_index("ix_customer_message_due", ["state", "try_at"], unique=False)

    op.create_table(
        "escrow",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pay_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ask_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("shown_code", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("release_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disputed_why", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_escrow_amount_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escrow")),
    )
    with op.batch_alter_table("escrow", schema=None) as batch_op:
        batch_op.create_index("ix_escrow_state", ["state", "release_at"], unique=False)

    op.create_table(
        "phone_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_code")),
    )
    with op.batch_alter_table("phone_code", schema=None) as batch_op:
        batch_op.create_index("ix_phone_code_at", ["store_id", "sent_at"], unique=False)
        batch_op.create_index("ix_phone_code_number", ["number", "sent_at"], unique=False)

    op.create_table(
        "escrow_entry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("escrow_id", sa.Text(), nullable=False),
        sa.Column("from_account", sa.Text(), nullable=False),
        sa.Column("to_account", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("answers_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_escrow_entry_amount_positive")),
        sa.ForeignKeyConstraint(["escrow_id"], ["escrow.id"], name=op.f("fk_escrow_entry_escrow_id_escrow")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escrow_entry")),
        sa.UniqueConstraint("answers_id", name=op.f("uq_escrow_entry_answers_id")),
    )
    with op.batch_alter_table("escrow_entry", schema=None) as batch_op:
        batch_op.create_index("ix_escrow_entry_escrow", ["escrow_id"], unique=False)

    with op.batch_alter_table("pickup_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("saved", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("deposit_sku", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("deposit_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("instead_of", sa.Text(), nullable=True))

    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("window_from", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("window_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("if_short", sa.Text(), server_default="less", nullable=False))
        batch_op.add_column(sa.Column("paid_minor", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("group_id", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("return_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("returned_minor", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("return_asked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("email", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("language", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("shop_front", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rules", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("promotions_token", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("promotions_edition", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:

    with op.batch_alter_table("shop_front", schema=None) as batch_op:
        batch_op.drop_column("promotions_edition")
        batch_op.drop_column("promotions_token")
        batch_op.drop_column("rules")

    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.drop_column("language")
        batch_op.drop_column("email")
        batch_op.drop_column("return_asked_at")
        batch_op.drop_column("returned_minor")
        batch_op.drop_column("return_until")
        batch_op.drop_column("group_id")
        batch_op.drop_column("paid_minor")
        batch_op.drop_column("if_short")
        batch_op.drop_column("answer_by")
        batch_op.drop_column("window_until")
        batch_op.drop_column("window_from")

    with op.batch_alter_table("pickup_line", schema=None) as batch_op:
        batch_op.drop_column("instead_of")
        batch_op.drop_column("deposit_minor")
        batch_op.drop_column("deposit_sku")
        batch_op.drop_column("saved")

    with op.batch_alter_table("escrow_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_escrow_entry_escrow")

    op.drop_table("escrow_entry")
    with op.batch_alter_table("phone_code", schema=None) as batch_op:
        batch_op.drop_index("ix_phone_code_number")
        batch_op.drop_index("ix_phone_code_at")

    op.drop_table("phone_code")
    with op.batch_alter_table("escrow", schema=None) as batch_op:
        batch_op.drop_index("ix_escrow_state")

    op.drop_table("escrow")
    with op.batch_alter_table("customer_message", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_message_due")

    op.drop_table("customer_message")
