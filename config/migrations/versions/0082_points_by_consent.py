"""Points are shared by the member's consent, counted for a taken sale alone, and what can't be counted waits.

Revision ID: 0082
Revises: 0081
"""

import sqlalchemy as sa
from alembic import op

from config.nodes import append_only

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("points_link") as batch:
        batch.add_column(sa.Column("key", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("proved_key", sa.Text(), nullable=False, server_default=""))
        batch.create_index("ix_points_link_key", ["key"])
    # links from before keep what they had: which of them a member agreed to cannot be told any more
    mine = "SELECT coalesce(key, '') FROM points_member WHERE points_member.id = points_link.member_id"
    op.execute(f"UPDATE points_link SET key = ({mine}), proved_key = ({mine}) WHERE NOT has_left")  # noqa: S608
    with op.batch_alter_table("shared_account") as batch:
        batch.add_column(sa.Column("linked", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE shared_account SET linked = (key <> '')")
    # added in place, for the table's triggers; they are made anew, so that they know the column
    op.add_column("shared_points_entry", sa.Column("of_sale_id", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_shared_points_entry_of_sale", "shared_points_entry", ["store_id", "of_sale_id"])
    op.create_index("ix_shared_points_entry_customer", "shared_points_entry", ["store_id", "customer_id"])
    append_only.lay(op.get_bind(), "shared_points_entry", ("n", "sale_id"))
    op.create_table(
        "points_waiting",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("store_id", "id", "waits_for", "why", "kind")),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_points_waiting")),
    )
    with op.batch_alter_table("points_waiting") as batch:
        batch.create_index("ix_points_waiting_sale", ["store_id", "waits_for"])


def downgrade() -> None:
    op.drop_table("points_waiting")
    op.drop_index("ix_shared_points_entry_customer", "shared_points_entry")
    op.drop_index("ix_shared_points_entry_of_sale", "shared_points_entry")
    append_only.lift(op.get_bind(), "shared_points_entry")
    with op.batch_alter_table("shared_points_entry") as batch:
        batch.drop_column("of_sale_id")
    append_only.lay(op.get_bind(), "shared_points_entry", ("n", "sale_id"))
    with op.batch_alter_table("shared_account") as batch:
        batch.drop_column("linked")
    with op.batch_alter_table("points_link") as batch:
        batch.drop_index("ix_points_link_key")
        batch.drop_column("proved_key")
        batch.drop_column("key")
