"""What the network claims of its suppliers for recalled goods; waste says its lot and its recall.

Revision ID: 0064
Revises: 0063
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("waste", sa.Column("lot_id", sa.Text(), nullable=True))
    op.add_column("waste", sa.Column("recall_id", sa.Text(), nullable=True))
    op.create_table(
        "upstream_claim",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recall_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("credited_minor", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_upstream_claim_sku_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_claim")),
    )
    op.create_index(
        "ix_upstream_claim_open",
        "upstream_claim",
        ["recall_id", "supplier_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "upstream_entry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_account", sa.Text(), nullable=False),
        sa.Column("to_account", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_upstream_entry_amount_positive")),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["upstream_claim.id"], name=op.f("fk_upstream_entry_claim_id_upstream_claim")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upstream_entry")),
    )
    op.create_index("ix_upstream_entry_claim", "upstream_entry", ["claim_id"])


def downgrade() -> None:
    op.drop_table("upstream_entry")
    op.drop_table("upstream_claim")
    op.drop_column("waste", "recall_id")
    op.drop_column("waste", "lot_id")
