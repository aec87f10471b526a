"""What is filed with the province: a row with every entry that is to be filed, also for those written before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATUS = {
    "207": ("sealmgmt.made", "sealmgmt.resumed"),
    "108": ("sealmgmt.renewed",),
    "209": ("sealmgmt.suspended", "sealmgmt.cancelled"),
    "log": (
        "seal.completed",
        "seal.failed",
        "seal.denied",
        "seal.abandoned",
        "sealmgmt.made",
        "sealmgmt.suspended",
        "sealmgmt.cancelled",
        "sealmgmt.renewed",
    ),
}
"""As this version's program files them; later kinds are filed from when there are any."""


def upgrade() -> None:
    op.create_table(
        "filing",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger()),
        sa.Column("failure", sa.String()),
        sa.Column("receipt", sa.String()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["entry_id"], ["sign_log.entry_id"], name="fk_filing_entry_id"),
        sa.PrimaryKeyConstraint("id", name="pk_filing"),
        sqlite_with_rowid=False,
    )
    waiting = sa.text("acknowledged_at IS NULL")
    op.create_index(
        "ix_filing_open",
        "filing",
        ["seal_code", "seq", "task", "acknowledged_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_filing_seal_code_id", "filing", ["seal_code", "id"])
    op.create_index("ix_filing_area_code_id", "filing", ["area_code", "id"])
    for task, kinds in STATUS.items():
        named = ", ".join(f"'{kind}'" for kind in kinds)
        op.execute(
            "INSERT INTO filing (id, entry_id, task, seal_code, area_code, seq, at, state, attempts, due_at) "  # noqa: S608 - constants of this file
            f"SELECT entry_id || '-{task}', entry_id, '{task}', seal_code, substr(seal_code, 1, 6), seq, at, "
            f"'waiting', 0, at FROM sign_log WHERE seal_code IS NOT NULL AND seq IS NOT NULL AND kind IN ({named})"
        )
