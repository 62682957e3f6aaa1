"""What is on its way between nodes, what a copy took with it, days to add up again, and the network's books by weeks.

Revision ID: 0013
Revises: 0011
Create Date: 2026-11-25 15:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

WEEKS = "weeks"
KEYS = {
    "sale": (
        "store_id, business_day, id",
        {"uq_sale_store_id_till_id_epoch_receipt_no": "store_id, till_id, receipt_no, epoch, business_day"},
        {"ix_sale_day": "store_id, business_day", "ix_sale_shift": "store_id, shift_id", "ix_sale_id": "store_id, id"},
    ),
    "sale_line": ("store_id, business_day, sale_id, n", {}, {"ix_sale_line_sku": "store_id, sku"}),
    "stock_movement": (
        "store_id, business_day, id",
        {},
        {
            "ix_stock_movement_sku": "store_id, sku, business_day",
            "ix_stock_movement_source": "store_id, source_kind, source_id",
        },
    ),
}
"""book -> primary key, unique constraints and indexes of its weeks."""
PLAIN = {
    "sale": ("store_id, id", {"uq_sale_store_id_till_id_epoch_receipt_no": "store_id, till_id, epoch, receipt_no"}),
    "sale_line": ("store_id, sale_id, n", {}),
    "stock_movement": ("store_id, id", {}),
}


def upgrade() -> None:
    op.add_column("inbox_head", sa.Column("sent", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("outbox_head", sa.Column("moved", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "fresh_day",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "business_day", name=op.f("pk_fresh_day")),
    )
    op.create_table(
        "invitation",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_store_id"), "invitation", ["store_id"])
    with op.batch_alter_table("sale_line") as batch_op:
        batch_op.add_column(sa.Column("business_day", sa.Date(), nullable=True))
    op.execute(
        "UPDATE sale_line SET business_day = (SELECT business_day FROM sale "
        "WHERE sale.store_id = sale_line.store_id AND sale.id = sale_line.sale_id)"
    )
    with op.batch_alter_table("sale_line") as batch_op:
        batch_op.alter_column("business_day", existing_type=sa.Date(), nullable=False)
        batch_op.drop_constraint("fk_sale_line_store_id_sale_id_sale", type_="foreignkey")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {WEEKS}")
        for book, (key, unique, indexes) in KEYS.items():
            _made_anew(
                book,
                " PARTITION BY RANGE (business_day)",
                f"CREATE TABLE {WEEKS}.{book}_rest PARTITION OF {book} DEFAULT",
            )
            _keyed(book, key, unique, indexes)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for book, (key, unique) in PLAIN.items():
            _made_anew(book, "", "")
            _keyed(
                book, key, unique, {name: columns for name, columns in KEYS[book][2].items() if name != "ix_sale_id"}
            )
        op.execute(f"DROP SCHEMA {WEEKS}")
    with op.batch_alter_table("sale_line") as batch_op:
        batch_op.create_foreign_key(
            "fk_sale_line_store_id_sale_id_sale", "sale", ["store_id", "sale_id"], ["store_id", "id"]
        )
        batch_op.drop_column("business_day")
    op.drop_table("invitation")
    op.drop_table("fresh_day")
    op.drop_column("outbox_head", "moved")
    op.drop_column("inbox_head", "sent")


def _made_anew(book: str, partitioned: str, after: str) -> None:
    """Make a book anew, in another shape, with its rows."""
    op.execute(f"ALTER TABLE {book} RENAME TO {book}_before")
    op.execute(f"CREATE TABLE {book} (LIKE {book}_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS){partitioned}")
    if after:
        op.execute(after)
    op.execute(f"INSERT INTO {book} SELECT * FROM {book}_before")  # noqa: S608
    op.execute(f"DROP TABLE {book}_before")


def _keyed(book: str, key: str, unique: dict[str, str], indexes: dict[str, str]) -> None:
    op.execute(f"ALTER TABLE {book} ADD CONSTRAINT pk_{book} PRIMARY KEY ({key})")
    for name, columns in unique.items():
        op.execute(f"ALTER TABLE {book} ADD CONSTRAINT {name} UNIQUE ({columns})")
    for name, columns in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {book} ({columns})")
