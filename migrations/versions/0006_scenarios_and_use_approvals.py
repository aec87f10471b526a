"""Scenarios in a registry, use approvals, and grants that limit documents and count their uses."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WAIVER = "各授权的审批文号"
PROCESS = "登记前授权所依据的审批流程"
"""What the scenarios of older grants are approved by: those grants were made when a use had no approval of its own."""


def upgrade() -> None:
    op.create_table(
        "use_scenario",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("waived_for", sa.String()),
        sa.Column("waiver_number", sa.String()),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String()),
        sa.Column("changed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("code", name="pk_use_scenario"),
    )
    op.create_table(
        "use_grant_digest",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["use_grant.id"], name="fk_use_grant_digest_grant_id"),
        sa.PrimaryKeyConstraint("sha256", "grant_id", name="pk_use_grant_digest"),
    )
    op.create_table(
        "use_approval",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("reason", sa.String()),
        sa.Column("valid_until", sa.BigInteger()),
        sa.Column("withdrawn_by", sa.String()),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["requested_by"], ["account.id"], name="fk_use_approval_requested_by"),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_use_approval_seal_code"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_use_approval_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_use_approval"),
    )
    op.create_index("ix_use_approval_seal_code_state_id", "use_approval", ["seal_code", "state", "id"])
    op.create_index("ix_use_approval_unit_id_id", "use_approval", ["unit_id", "id"])
    op.create_index("ix_use_approval_requested_by_id", "use_approval", ["requested_by", "id"])
    op.create_table(
        "use_approval_document",
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("use_id", sa.String()),
        sa.ForeignKeyConstraint(["approval_id"], ["use_approval.id"], name="fk_use_approval_document_approval_id"),
        sa.PrimaryKeyConstraint("approval_id", "sha256", name="pk_use_approval_document"),
    )
    op.create_index("ix_use_approval_document_sha256", "use_approval_document", ["sha256"])
    op.add_column("seal_use", sa.Column("approval_id", sa.String()))
    op.add_column("seal_use", sa.Column("approval_epoch", sa.Integer()))
    _limit_and_count_grants()
    _register_scenarios()


def _limit_and_count_grants() -> None:
    for column in (
        sa.Column("media_types", sa.String(), nullable=False, server_default=""),
        sa.Column("most_pages", sa.Integer()),
        sa.Column("digests", sa.String(), nullable=False, server_default=""),
        sa.Column("uses_counted", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("standing", sa.String(), nullable=False, server_default="open"),
    ):
        op.add_column("use_grant", column)
    op.execute(
        "UPDATE use_grant SET uses_counted = (SELECT count(*) FROM seal_use "
        "WHERE seal_use.grant_id = use_grant.id AND seal_use.state IN ('reserved', 'completed'))"
    )
    op.execute(
        "UPDATE use_grant SET standing = 'closed' "
        "WHERE revoked_at IS NOT NULL OR (maximum_uses IS NOT NULL AND uses_counted >= maximum_uses)"
    )
    op.create_index(
        "ix_use_grant_seal_code_grantee_id_scenario_standing_valid_until",
        "use_grant",
        ["seal_code", "grantee_id", "scenario", "standing", "valid_until"],
    )


def _register_scenarios() -> None:
    """Each that was granted, of the kind that it was granted as; of two kinds the approval type stays."""
    op.execute(
        "INSERT INTO use_scenario (code, kind, name, active, waived_for, waiver_number, registered_by, registered_at) "  # noqa: S608 - constants
        f"SELECT scenario, min(scenario_kind), scenario, true, '{PROCESS}', '{WAIVER}', 'upgrade', "
        "min(granted_at) FROM use_grant GROUP BY scenario"
    )
