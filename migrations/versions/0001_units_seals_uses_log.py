"""Units, accounts, applications, seals, grants, uses, certificates and the signing log.

Times are microseconds since 1970 UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    if op.get_bind().dialect.name == "sqlite":
        _forbid_change_in_sqlite()
    else:
        _forbid_change_in_postgresql()


def _create_tables() -> None:
    op.create_table(
        "authority_credential",
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_reference", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("role", "version", name="pk_authority_credential"),
    )
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("made", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency"),
    )
    op.create_table(
        "issued_certificate",
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_since", sa.BigInteger()),
        sa.Column("reason", sa.String()),
        sa.PrimaryKeyConstraint("serial", name="pk_issued_certificate"),
    )
    op.create_index("ix_issued_certificate_status", "issued_certificate", ["status"])
    op.create_table(
        "seal_code_sequence",
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("area_code", name="pk_seal_code_sequence"),
    )
    op.create_table(
        "sign_log",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("intent_id", sa.String()),
        sa.Column("use_id", sa.String()),
        sa.Column("seal_code", sa.String()),
        sa.Column("unit_id", sa.String()),
        sa.Column("account_id", sa.String()),
        sa.Column("operator_ref", sa.String()),
        sa.Column("scenario", sa.String()),
        sa.Column("document_sha256", sa.String()),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("canon", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_sign_log"),
        sa.UniqueConstraint("seal_code", "seq", name="uq_sign_log_seal_code_seq"),
    )
    op.create_index("ix_sign_log_account_id_at", "sign_log", ["account_id", "at"])
    op.create_index("ix_sign_log_at", "sign_log", ["at"])
    op.create_index("ix_sign_log_document_sha256_at", "sign_log", ["document_sha256", "at"])
    op.create_index("ix_sign_log_kind_at", "sign_log", ["kind", "at"])
    op.create_index("ix_sign_log_operator_ref_at", "sign_log", ["operator_ref", "at"])
    op.create_index("ix_sign_log_scenario_at", "sign_log", ["scenario", "at"])
    op.create_index("ix_sign_log_seal_code_at", "sign_log", ["seal_code", "at"])
    op.create_index("ix_sign_log_unit_id_at", "sign_log", ["unit_id", "at"])
    op.create_index("ix_sign_log_use_id", "sign_log", ["use_id"])
    op.create_table(
        "unit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("unit_type", sa.String(), nullable=False),
        sa.Column("credit_code", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("channel_unit_id", sa.String()),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_unit_id"], ["unit.id"], name="fk_unit_channel_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("credit_code", name="uq_unit_credit_code"),
    )
    op.create_index("ix_unit_area_code_registered_at", "unit", ["area_code", "registered_at"])
    op.create_index("ix_unit_channel_unit_id", "unit", ["channel_unit_id"])
    op.create_index("ix_unit_registered_at", "unit", ["registered_at"])
    op.create_table(
        "account",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String()),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_account_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_index("ix_account_created_at", "account", ["created_at"])
    op.create_table(
        "application",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("seal_name", sa.String(), nullable=False),
        sa.Column("seal_type", sa.String(), nullable=False),
        sa.Column("impression_digest", sa.String(), nullable=False),
        sa.Column("impression_width_mm", sa.Double(), nullable=False),
        sa.Column("impression_height_mm", sa.Double(), nullable=False),
        sa.Column("impression_dpi", sa.Integer(), nullable=False),
        sa.Column("impression_ink_rgb", sa.String(), nullable=False),
        sa.Column("replaces_seal_code", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decision_reason", sa.String()),
        sa.Column("seal_code", sa.String()),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_application_unit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
    )
    op.create_index("ix_application_applied_at", "application", ["applied_at"])
    op.create_index("ix_application_state_applied_at", "application", ["state", "applied_at"])
    op.create_index("ix_application_unit_id_applied_at", "application", ["unit_id", "applied_at"])
    op.create_table(
        "log_pending",
        sa.Column("q", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(always=True), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["sign_log.entry_id"], name="fk_log_pending_entry_id"),
        sa.PrimaryKeyConstraint("q", name="pk_log_pending"),
        sa.UniqueConstraint("entry_id", name="uq_log_pending_entry_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_terminal",
        sa.Column("intent_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["sign_log.entry_id"], name="fk_log_terminal_entry_id"),
        sa.ForeignKeyConstraint(["intent_id"], ["sign_log.entry_id"], name="fk_log_terminal_intent_id"),
        sa.PrimaryKeyConstraint("intent_id", name="pk_log_terminal"),
        sa.UniqueConstraint("entry_id", name="uq_log_terminal_entry_id"),
    )
    op.create_table(
        "private_field",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["sign_log.entry_id"], name="fk_private_field_entry_id"),
        sa.PrimaryKeyConstraint("entry_id", "name", name="pk_private_field"),
    )
    op.create_table(
        "seal",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seal_type", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("impression_digest", sa.String(), nullable=False),
        sa.Column("impression_width_mm", sa.Double(), nullable=False),
        sa.Column("impression_height_mm", sa.Double(), nullable=False),
        sa.Column("impression_dpi", sa.Integer(), nullable=False),
        sa.Column("impression_ink_rgb", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("replaces_seal_code", sa.String()),
        sa.Column("state_reason", sa.String()),
        sa.Column("document_number", sa.String()),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_seal_application_id"),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_seal_unit_id"),
        sa.PrimaryKeyConstraint("code", name="pk_seal"),
    )
    op.create_index("ix_seal_made_at", "seal", ["made_at"])
    op.create_index("ix_seal_not_after", "seal", ["not_after"])
    op.create_index("ix_seal_unit_id_made_at", "seal", ["unit_id", "made_at"])
    op.create_table(
        "seal_credential",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("custody", sa.String(), nullable=False),
        sa.Column("key_reference", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_seal_credential_seal_code"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_credential"),
        sa.UniqueConstraint("serial", name="uq_seal_credential_serial"),
    )
    op.create_index("ix_seal_credential_seal_code", "seal_credential", ["seal_code"])
    op.create_table(
        "use_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("grantee_id", sa.String(), nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("scenario_kind", sa.String(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("maximum_uses", sa.BigInteger()),
        sa.Column("responsible_person", sa.String(), nullable=False),
        sa.Column("approval_number", sa.String(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["grantee_id"], ["account.id"], name="fk_use_grant_grantee_id"),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_use_grant_seal_code"),
        sa.PrimaryKeyConstraint("id", name="pk_use_grant"),
    )
    op.create_index("ix_use_grant_granted_at", "use_grant", ["granted_at"])
    op.create_index("ix_use_grant_grantee_id_granted_at", "use_grant", ["grantee_id", "granted_at"])
    op.create_index(
        "ix_use_grant_seal_code_grantee_id_scenario_granted_at",
        "use_grant",
        ["seal_code", "grantee_id", "scenario", "granted_at"],
    )
    op.create_table(
        "seal_use",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.String(), nullable=False),
        sa.Column("seal_code", sa.String(), nullable=False),
        sa.Column("seal_epoch", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("grant_epoch", sa.Integer(), nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("document_sha256", sa.String(), nullable=False),
        sa.Column("document_sm3", sa.String(), nullable=False),
        sa.Column("intent_entry_id", sa.String(), nullable=False),
        sa.Column("intent_leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("level_asked", sa.String(), nullable=False),
        sa.Column("level_reached", sa.String()),
        sa.Column("sealed_sha256", sa.String()),
        sa.Column("terminal_entry_id", sa.String()),
        sa.Column("terminal_leaf_hash", sa.LargeBinary()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("failure", sa.String()),
        sa.Column("document_kept_until", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_seal_use_account_id"),
        sa.ForeignKeyConstraint(["grant_id"], ["use_grant.id"], name="fk_seal_use_grant_id"),
        sa.ForeignKeyConstraint(["seal_code"], ["seal.code"], name="fk_seal_use_seal_code"),
        sa.PrimaryKeyConstraint("id", name="pk_seal_use"),
        sa.UniqueConstraint("account_id", "idempotency_key", name="uq_seal_use_account_id_idempotency_key"),
    )
    op.create_index("ix_seal_use_document_kept_until", "seal_use", ["document_kept_until"])
    op.create_index("ix_seal_use_document_sha256", "seal_use", ["document_sha256"])
    op.create_index("ix_seal_use_grant_id_state", "seal_use", ["grant_id", "state"])
    op.create_index("ix_seal_use_seal_code_reserved_at", "seal_use", ["seal_code", "reserved_at"])
    op.create_index("ix_seal_use_sealed_sha256", "seal_use", ["sealed_sha256"])
    op.create_index("ix_seal_use_state_reserved_at", "seal_use", ["state", "reserved_at"])


def _forbid_change_in_sqlite() -> None:
    """Triggers on the append-only tables.

    The guard before INSERT is needed because REPLACE deletes rows without firing triggers for DELETE; it covers every
    unique key by which a new row can push out an old one, the hidden rowid among them.
    """
    same_key = {
        "sign_log": "rowid = NEW.rowid OR entry_id = NEW.entry_id OR (seal_code = NEW.seal_code AND seq = NEW.seq)",
        "log_terminal": "rowid = NEW.rowid OR intent_id = NEW.intent_id OR entry_id = NEW.entry_id",
        "private_field": "rowid = NEW.rowid OR (entry_id = NEW.entry_id AND name = NEW.name)",
    }
    for table, condition in same_key.items():
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {condition})"  # noqa: S608 - constants
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def _forbid_change_in_postgresql() -> None:
    """Triggers on the append-only tables, ALWAYS: also where session_replication_role is `replica`.

    Those on rows fire for every way to change one, MERGE and ON CONFLICT among them; TRUNCATE knows no rows.
    """
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in ("sign_log", "log_terminal", "private_field"):
        for act, scope in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
            name = f"{table}_no_{act}"
            trigger = f"CREATE TRIGGER {name} BEFORE {act.upper()} ON {table}"
            op.execute(f"{trigger} FOR EACH {scope} EXECUTE FUNCTION refuse_change()")
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
