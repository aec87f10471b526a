"""The change of an application system that was asked for last."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    texts = ("id", "address", "network_environment", "department", "source_networks", "asked_by", "state", "decided_by")
    for name in (*texts, "decision_reason"):
        op.add_column("application_system", sa.Column(f"change_{name}", sa.String()))
    for name in ("asked_at", "decided_at"):
        op.add_column("application_system", sa.Column(f"change_{name}", sa.BigInteger()))
    op.add_column("application_system", sa.Column("change_contacts", sa.LargeBinary()))
