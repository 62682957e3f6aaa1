"""Letters to customers, and whom each was for.

Revision ID: 0024d
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0024d"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outreach",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("away_days", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_outreach")),
    )
    op.create_table(
        "outreach_person",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("outreach_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "outreach_id", "customer_id", name=op.f("pk_outreach_person")),
    )


def downgrade() -> None:
    op.drop_table("outreach_person")
    op.drop_table("outreach")
