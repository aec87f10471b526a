"""Uses are found by the leaf hash of their intent, which the seal on a document carries."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_seal_use_intent_leaf_hash", "seal_use", ["intent_leaf_hash"])
