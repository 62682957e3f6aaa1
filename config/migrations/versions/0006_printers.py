"""The printers a shopkeeper sets up, and one job in hand at each.

Revision ID: 0006_printers
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "printer",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wire", sa.Text(), nullable=False),
        sa.Column("columns", sa.BigInteger(), nullable=False),
        sa.Column("chinese", sa.Boolean(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("cutter", sa.Boolean(), nullable=False),
        sa.Column("drawer_pin", sa.BigInteger(), nullable=False),
        sa.Column("pulse_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("tills", sa.JSON(), nullable=False),
        sa.Column("papers", sa.Text(), nullable=False),
        sa.Column("fallback_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_printer_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_printer")),
    )
    op.create_table(
        "printer_health",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("printer_id", sa.Text(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("near_end", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "printer_id", name=op.f("pk_printer_health")),
    )
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("printer_id", sa.Text(), nullable=True))
        batch_op.create_index(
            "ux_print_job_in_hand",
            ["store_id", "printer_id"],
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_print_job_in_hand",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_column("printer_id")

    op.drop_table("printer_health")
    op.drop_table("printer")
