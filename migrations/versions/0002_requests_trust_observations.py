"""Certificate requests, trusted certificates, observations, the history note of imported seals."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seal", sa.Column("history_note", sa.String()))
    op.create_table(
        "certificate_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("application_id", sa.String()),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("key_reference", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("certificate_serial", sa.String()),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_certificate_request_application_id"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate_request"),
        sa.UniqueConstraint("key_reference", name="uq_certificate_request_key_reference"),
    )
    op.create_index("ix_certificate_request_seal_code", "certificate_request", ["seal_code"])
    op.create_index("ix_certificate_request_state_requested_at", "certificate_request", ["state", "requested_at"])
    op.create_table(
        "trusted_certificate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("for_signatures", sa.Boolean(), nullable=False),
        sa.Column("for_timestamps", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("revocation_addresses", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_trusted_certificate"),
    )
    op.create_table(
        "observation",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("well", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_observation"),
    )
