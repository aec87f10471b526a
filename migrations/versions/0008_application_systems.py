"""Application systems, their credentials, units' persons, and proofs that may be shown once.

Accounts of business systems that are there have no registered system: outside production they go on as they are, and
the production profile asks their units to register them (docs/how-to/connect-a-system.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_system",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("network_environment", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("source_networks", sa.String(), nullable=False),
        sa.Column("contacts", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decision_reason", sa.String()),
        sa.Column("account_id", sa.String()),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_application_system_unit_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_application_system_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_application_system"),
        sa.UniqueConstraint("account_id", name="uq_application_system_account_id"),
    )
    op.create_index("ix_application_system_unit_id", "application_system", ["unit_id"])
    op.create_table(
        "system_credential",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String()),
        sa.Column("public_key", sa.String()),
        sa.Column("thumbprint", sa.String()),
        sa.Column("subject", sa.String()),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_system_credential_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_system_credential"),
        sa.UniqueConstraint("thumbprint", name="uq_system_credential_thumbprint"),
    )
    op.create_index("ix_system_credential_account_id", "system_credential", ["account_id"])
    op.create_table(
        "unit_person",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("name_reference", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_unit_person_unit_id"),
        sa.PrimaryKeyConstraint("unit_id", "reference", name="pk_unit_person"),
    )
    unlogged = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "presented_proof",
        sa.Column("once", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("once", name="pk_presented_proof"),
        prefixes=unlogged,
    )
    op.create_index("ix_presented_proof_until", "presented_proof", ["until"])
