"""The roles of 等保三级: system and security administrators apart, a unit's people by what they do."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RENAMED = {
    "operator": "system_operator",
    "unit": "unit_administrator",
    "business_system,unit": "business_system,unit_administrator",
}
"""As they stand there: sorted. The last two may no longer be given together; who holds them keeps them."""


def upgrade() -> None:
    """Rename the roles of every account."""
    for before, after in RENAMED.items():
        op.execute(f"UPDATE account SET roles = '{after}' WHERE roles = '{before}'")  # noqa: S608 - names of this file
