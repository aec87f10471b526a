"""Custody: uses in two steps, the media that seals' keys are on."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prepared_use",
        sa.Column("use_id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("to_be_signed", sa.LargeBinary(), nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("certificate_serial", sa.String(), nullable=False),
        sa.Column("kept", sa.String(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("signature_sha256", sa.String()),
        sa.Column("released_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["use_id"], ["seal_use.id"], name="fk_prepared_use_use_id"),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_prepared_use_seal_code"),
        sa.PrimaryKeyConstraint("use_id", name="pk_prepared_use"),
    )
    op.create_index("ix_prepared_use_released_at_expires_at", "prepared_use", ["released_at", "expires_at"])
    op.create_table(
        "medium_event",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("serial_number", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("keeper", sa.String(), nullable=False),
        sa.Column("giver", sa.String()),
        sa.Column("witness", sa.String()),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_medium_event_seal_code"),
        sa.ForeignKeyConstraint(["recorded_by"], ["account.id"], name="fk_medium_event_recorded_by"),
        sa.PrimaryKeyConstraint("id", name="pk_medium_event"),
        sa.UniqueConstraint("seal_code", "position", name="uq_medium_event_seal_code_position"),
    )
    op.create_index("ix_medium_event_serial_number", "medium_event", ["serial_number"])
    op.create_table(
        "seal_activation",
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_seal_activation_seal_code"),
        sa.ForeignKeyConstraint(["taken_by"], ["account.id"], name="fk_seal_activation_taken_by"),
        sa.PrimaryKeyConstraint("seal_code", name="pk_seal_activation"),
    )
    op.create_table(
        "seal_conveyance",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("system_id", sa.String(), nullable=False),
        sa.Column("handle_sha256", sa.String(), nullable=False),
        sa.Column("conveyed_by", sa.String(), nullable=False),
        sa.Column("conveyed_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_seal_conveyance_seal_code"),
        sa.ForeignKeyConstraint(["system_id"], ["account.id"], name="fk_seal_conveyance_system_id"),
        sa.ForeignKeyConstraint(["conveyed_by"], ["account.id"], name="fk_seal_conveyance_conveyed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_conveyance"),
    )
    op.create_index("ix_seal_conveyance_seal_code_system_id", "seal_conveyance", ["seal_code", "system_id"])
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes_on_sqlite("medium_event")
    else:
        _refuse_changes_on_postgresql("medium_event")


def _refuse_changes_on_sqlite(table: str) -> None:
    """As the first migration does; INSERT is guarded too, as REPLACE deletes rows without a trigger for DELETE."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    same = "rowid = NEW.rowid OR id = NEW.id OR (seal_code = NEW.seal_code AND position = NEW.position)"
    taken = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - a name of this file
    op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def _refuse_changes_on_postgresql(table: str) -> None:
    """By the first migration's function, ALWAYS: also where session_replication_role is `replica`."""
    for act, scope in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
        name = f"{table}_no_{act}"
        trigger = f"CREATE TRIGGER {name} BEFORE {act.upper()} ON {table}"
        op.execute(f"{trigger} FOR EACH {scope} EXECUTE FUNCTION refuse_change()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
