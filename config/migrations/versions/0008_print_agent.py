"""Print agents: a printer's key, when its agent called, and the claim under which a job is in its hands.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("printer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agent_key_sha256", sa.Text(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_printer_agent_key_sha256"), ["agent_key_sha256"])
    with op.batch_alter_table("printer_health", schema=None) as batch_op:
        batch_op.add_column(sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claim_id", sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f("ix_print_job_claim_id"), ["claim_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_print_job_claim_id"))
        batch_op.drop_column("claim_id")
    with op.batch_alter_table("printer_health", schema=None) as batch_op:
        batch_op.drop_column("heard_at")
    with op.batch_alter_table("printer", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_printer_agent_key_sha256"), type_="unique")
        batch_op.drop_column("agent_key_sha256")
