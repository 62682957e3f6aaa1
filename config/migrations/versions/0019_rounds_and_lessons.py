"""The network's lessons, who has done which, and rounds from the warehouse to the shops.

Revision ID: 0019
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "network_lesson",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_lesson")),
    )
    op.create_table(
        "lesson_done",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("lesson_id", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "staff_id", "lesson_id", name=op.f("pk_lesson_done")),
    )

    op.create_table(
        "map_place",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lat_e6", sa.BigInteger(), nullable=False),
        sa.Column("lon_e6", sa.BigInteger(), nullable=False),
        sa.Column("from_minute", sa.BigInteger(), nullable=False),
        sa.Column("until_minute", sa.BigInteger(), nullable=False),
        sa.Column("service_minutes", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_map_place")),
    )
    op.create_table(
        "van",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("packs", sa.BigInteger(), nullable=False),
        sa.Column("from_minute", sa.BigInteger(), nullable=False),
        sa.Column("until_minute", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_van")),
    )
    op.create_table(
        "measured_leg",
        sa.Column("from_id", sa.Text(), nullable=False),
        sa.Column("to_id", sa.Text(), nullable=False),
        sa.Column("metres", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("from_id", "to_id", name=op.f("pk_measured_leg")),
    )
    op.create_table(
        "round_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("metres", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_plan")),
    )
    op.create_table(
        "van_round",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("van_id", sa.Text(), nullable=False),
        sa.Column("van_name", sa.Text(), nullable=False),
        sa.Column("van_packs", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("packs", sa.BigInteger(), nullable=False),
        sa.Column("metres", sa.BigInteger(), nullable=False),
        sa.Column("leaves_s", sa.BigInteger(), nullable=False),
        sa.Column("back_s", sa.BigInteger(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_van_round")),
    )
    with op.batch_alter_table("van_round", schema=None) as batch_op:
        batch_op.create_index("ix_van_round_day", ["warehouse_id", "day"], unique=False)
        batch_op.create_index("ix_van_round_token", ["token_hash"], unique=False)

    op.create_table(
        "van_stop",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("packs", sa.BigInteger(), nullable=False),
        sa.Column("urgency", sa.BigInteger(), nullable=False),
        sa.Column("metres", sa.BigInteger(), nullable=False),
        sa.Column("begins_s", sa.BigInteger(), nullable=False),
        sa.Column("leaves_s", sa.BigInteger(), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("until_s", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["van_round.id"], name=op.f("fk_van_stop_round_id_van_round")),
        sa.PrimaryKeyConstraint("round_id", "store_id", name=op.f("pk_van_stop")),
    )
    op.create_table(
        "van_load",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "delivery_id", name=op.f("pk_van_load")),
    )
    with op.batch_alter_table("van_load", schema=None) as batch_op:
        batch_op.create_index(op.f("ix_van_load_round_id"), ["round_id"], unique=False)

    op.create_table(
        "van_call",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("comes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("van", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "delivery_id", name=op.f("pk_van_call")),
    )


def downgrade() -> None:

    op.drop_table("van_call")
    with op.batch_alter_table("van_load", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_van_load_round_id"))

    op.drop_table("van_load")
    op.drop_table("van_stop")
    with op.batch_alter_table("van_round", schema=None) as batch_op:
        batch_op.drop_index("ix_van_round_token")
        batch_op.drop_index("ix_van_round_day")

    op.drop_table("van_round")
    op.drop_table("round_plan")
    op.drop_table("measured_leg")
    op.drop_table("van")
    op.drop_table("map_place")
    op.drop_table("lesson_done")
    op.drop_table("network_lesson")
