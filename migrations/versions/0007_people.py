"""People's way in: logins, second factors, sessions, challenges, links to an identity provider."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("login_name", sa.String()),
        sa.Column("password_hash", sa.String()),
        sa.Column("history", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger()),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger()),
        sa.Column("last_login_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_login_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_login"),
        sa.UniqueConstraint("login_name", name="uq_login_login_name"),
    )
    op.create_table(
        "second_factor",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("certificate", sa.LargeBinary()),
        sa.Column("certificate_sha256", sa.String()),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger()),
        sa.Column("last_counter", sa.BigInteger()),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_second_factor_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_second_factor"),
        sa.UniqueConstraint("certificate_sha256", name="uq_second_factor_certificate_sha256"),
    )
    op.create_index("ix_second_factor_account_id_enrolled_at", "second_factor", ["account_id", "enrolled_at"])
    op.create_table(
        "session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("factor", sa.String()),
        sa.Column("roles", sa.String()),
        sa.Column("address", sa.String()),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.String()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_reason", sa.String()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("token_sha256", name="uq_session_token_sha256"),
        sa.UniqueConstraint("evidence", name="uq_session_evidence"),
    )
    op.create_index("ix_session_account_id_ended_at", "session", ["account_id", "ended_at"])
    op.create_table(
        "login_challenge",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("roles", sa.String()),
        sa.Column("evidence", sa.String()),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_login_challenge_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_login_challenge"),
        sa.UniqueConstraint("token_sha256", name="uq_login_challenge_token_sha256"),
    )
    op.create_table(
        "identity_link",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("linked_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_identity_link_account_id"),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_identity_link"),
    )
    op.create_index("ix_identity_link_account_id", "identity_link", ["account_id"])
