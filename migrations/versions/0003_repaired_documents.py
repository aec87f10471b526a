"""The digest of the repaired document that a use sealed in the place of a damaged one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seal_use", sa.Column("repaired_sha256", sa.String()))
