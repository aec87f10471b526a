"""Changes, invalidation and media of seals, renamed units, notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("invalid_from", "medium_returned_on", "medium_destroyed_on"):
        op.add_column("seal", sa.Column(name, sa.BigInteger()))
    op.add_column("seal", sa.Column("keeper_id", sa.String()))
    op.add_column("application", sa.Column("kind", sa.String(), nullable=False, server_default="new"))
    for name in ("changes_seal_code", "keeper_id", "channel_unit_id"):
        op.add_column("application", sa.Column(name, sa.String()))
    op.add_column("issued_certificate", sa.Column("invalidity_date", sa.BigInteger()))
    op.create_table(
        "notification",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("once", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("last_error", sa.String()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint("once", name="uq_notification_once"),
    )
    op.create_index("ix_notification_state_next_at", "notification", ["state", "next_at"])
