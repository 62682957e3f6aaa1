"""Stores sign their facts: the keys of each store, and the signature of each batch.

Revision ID: 0076
Revises: 0075
"""

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doubted_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vouched_by", sa.Text(), nullable=True),
        sa.Column("vouch", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("node_id", "public", name=op.f("pk_signing_key")),
    )
    first = sa.text("how = 'first'")
    op.create_index(
        "ix_signing_key_first", "signing_key", ["node_id"], unique=True, sqlite_where=first, postgresql_where=first
    )
    op.create_table(
        "signed_batch",
        sa.Column("from_node", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("from_node", "id", name=op.f("pk_signed_batch")),
    )
    op.add_column("inbox_message", sa.Column("batch", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("inbox_message", "batch")
    op.drop_table("signed_batch")
    op.drop_index("ix_signing_key_first", table_name="signing_key")
    op.drop_table("signing_key")
