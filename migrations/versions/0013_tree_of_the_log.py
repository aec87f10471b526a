"""The signing log as a tree: places of entries, the head, checkpoints, cosignatures, statistics.

Entries from before have waited in `log_pending` since they were written, in their order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SAME_KEY = {
    "log_leaf": "idx = NEW.idx OR entry_id = NEW.entry_id",
    "log_checkpoint": "size = NEW.size",
    "log_cosignature": "rowid = NEW.rowid OR (size = NEW.size AND line = NEW.line)",
}
_LEAVES_EARLY = "log_pending is append-only but for what has its place in the tree"


def upgrade() -> None:
    op.create_table(
        "log_leaf",
        sa.Column("idx", _PLACE, nullable=False, autoincrement=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name="pk_log_leaf"),
        sa.UniqueConstraint("entry_id", name="uq_log_leaf_entry_id"),
    )
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_log_head_one"),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0, "hashes": b"", "epoch": 0}])
    op.create_table(
        "log_checkpoint",
        sa.Column("size", _PLACE, nullable=False, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoint"),
    )
    op.create_table(
        "log_cosignature",
        sa.Column("size", _PLACE, nullable=False, autoincrement=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name="fk_log_cosignature_size"),
        sa.PrimaryKeyConstraint("size", "line", name="pk_log_cosignature"),
    )
    key = ("day", "unit_id", "account_id", "seal_code", "scenario", "kind", "result")
    op.create_table(
        "log_stat",
        sa.Column("day", sa.Integer(), nullable=False, autoincrement=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in key[1:]),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_log_stat"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _forbid_change_in_sqlite()
    else:
        _forbid_change_in_postgresql()


def _forbid_change_in_sqlite() -> None:
    """As the first migration does; INSERT is guarded too, as REPLACE deletes rows without a trigger for DELETE."""
    for table, same in {**_SAME_KEY, "log_pending": "q = NEW.q OR entry_id = NEW.entry_id"}.items():
        told = _LEAVES_EARLY if table == "log_pending" else f"{table} is append-only"
        refuse = f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        taken = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - constants
        early = (
            "WHEN NOT EXISTS (SELECT 1 FROM log_leaf WHERE entry_id = OLD.entry_id)" if table == "log_pending" else ""
        )
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {early} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken} {refuse}")


def _forbid_change_in_postgresql() -> None:
    """By the first migration's function, ALWAYS: also where session_replication_role is `replica`.

    What leaves the queue is asked for once a statement, of thousands of rows together.
    """
    op.execute(
        "CREATE FUNCTION refuse_to_leave_early() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = pg_catalog, pg_temp AS $$ BEGIN IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS "
        "(SELECT 1 FROM public.log_leaf WHERE log_leaf.entry_id = gone.entry_id)) THEN RAISE EXCEPTION "
        "'log_pending is append-only but for what has its place in the tree' USING ERRCODE = 'restrict_violation'; "
        "END IF; RETURN NULL; END $$"
    )
    for table in (*_SAME_KEY, "log_pending"):
        for act, scope in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT")):
            name = f"{table}_no_{act}"
            when, then = f"BEFORE {act.upper()} ON {table}", f"FOR EACH {scope} EXECUTE FUNCTION refuse_change()"
            if name == "log_pending_no_delete":
                when = "AFTER DELETE ON log_pending REFERENCING OLD TABLE AS gone"
                then = "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_leave_early()"
            op.execute(f"CREATE TRIGGER {name} {when} {then}")
            op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
