"""What the staff's pages need: accounts, the state of conversations, reviews, approvals, an audit, full-text search."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INBOX = (
    "updated_at", "id", "state", "flags", "channel", "language", "assignee_id", "labels", "topics", "length",
    "confidence",
)  # fmt: skip
MOMENT = sa.DateTime(timezone=True)
TABLES = ("approval", "review", "note", "audit", "invitation", "staff_session", "guess", "staff", "counter")

# Letters with accents are found without them. PostgreSQL has no such rule built in, so it is told the letters.
LETTERS = "translate(lower(text), 'áàâäãéèêëíìîïóòôöõúùûüñç', 'aaaaaeeeeiiiiooooouuuunc')"


def upgrade() -> None:
    _staff()
    _conversations()
    _work()
    _search()
    _keep_the_audit()


def _staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("login", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("password", sa.String(256)),
        sa.Column("totp", sa.String(64)),
        sa.Column("totp_used", sa.Integer),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT),
    )
    op.create_table(
        "guess",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("locked_until", MOMENT),
    )
    op.create_table(
        "staff_session",
        sa.Column("token", sa.String(64), primary_key=True),
        _belongs_to("staff", index=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
    op.create_table(
        "invitation",
        sa.Column("token", sa.String(64), primary_key=True),
        _belongs_to("staff", index=True),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("detail", sa.String(256), nullable=False),
    )
    op.create_index("ix_audit_who", "audit", ["who", "id"])
    op.create_index("ix_audit_subject", "audit", ["subject", "id"])


def _conversations() -> None:
    for name in ("flags", "labels", "topics"):
        op.add_column("conversation", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("state", sa.String(16), nullable=False, server_default="bot"))
    op.add_column("conversation", sa.Column("waiting_since", MOMENT))
    for name in ("holder_id", "assignee_id"):
        op.add_column("conversation", sa.Column(name, sa.Integer))
    op.add_column("conversation", sa.Column("held_until", MOMENT))
    op.add_column("conversation", sa.Column("length", sa.Integer, nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("confidence", sa.Float))
    op.add_column("turn", sa.Column("delivery", sa.String(16)))
    op.execute("UPDATE conversation SET flags = ' ' || flag || ' ' WHERE flag IS NOT NULL")
    op.execute(
        "UPDATE conversation SET state = 'waiting', waiting_since = flagged_at WHERE flag IN ('emergency', 'person')"
    )
    op.execute("UPDATE conversation SET length = (SELECT count(*) FROM turn WHERE conversation_id = conversation.id)")
    op.create_table(
        "counter", sa.Column("name", sa.String(16), primary_key=True), sa.Column("value", sa.Integer, nullable=False)
    )
    op.execute("INSERT INTO counter SELECT 'conversation', coalesce(max(id), 0) FROM conversation")
    op.create_index("ix_conversation_inbox", "conversation", list(INBOX))
    op.create_index("ix_conversation_waiting", "conversation", ["state", "waiting_since", "flagged_at"])
    op.create_index("ix_turn_delivery", "turn", ["delivery", "channel"])
    rated = sa.text("helpful IS NOT NULL")
    op.create_index("ix_turn_helpful", "turn", ["helpful"], sqlite_where=rated, postgresql_where=rated)
    op.create_index("ix_request_state", "request", ["state", "created_at"])


def _work() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.Integer, primary_key=True),
        _belongs_to("conversation", index=True),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer, primary_key=True),
        _belongs_to("turn", kind=sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(64)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("example", sa.Text),
        sa.Column("language", sa.String(2)),
        sa.Column("english", sa.Text),
        sa.Column("state", sa.String(16)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("turn_id", "by"),
    )
    op.create_index("ix_review_state", "review", ["state"])
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("revision", sa.String(128), nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("due", sa.Date),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_approval_revision", "approval", ["revision", "id"])


def _belongs_to(table: str, *, index: bool = False, kind: Any = sa.Integer) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", kind, key, nullable=False, index=index)


def _search() -> None:
    """An index of what people wrote, kept true by the database itself."""
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"CREATE INDEX ix_turn_text ON turn USING gin (to_tsvector('simple', {LETTERS}))")
        return
    op.execute(
        "CREATE VIRTUAL TABLE turn_text USING fts5"
        "(text, content='turn', content_rowid='id', tokenize=\"unicode61 remove_diacritics 2\")"
    )
    out = "INSERT INTO turn_text (turn_text, rowid, text) VALUES ('delete', old.id, old.text);"
    into = "INSERT INTO turn_text (rowid, text) VALUES (new.id, new.text);"
    op.execute(f"CREATE TRIGGER turn_text_new AFTER INSERT ON turn BEGIN {into} END")
    op.execute(f"CREATE TRIGGER turn_text_gone AFTER DELETE ON turn BEGIN {out} END")
    op.execute(f"CREATE TRIGGER turn_text_other AFTER UPDATE OF text ON turn BEGIN {out} {into} END")
    op.execute("INSERT INTO turn_text (turn_text) VALUES ('rebuild')")


def _keep_the_audit() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_{what.lower()} BEFORE {what} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION keep_the_audit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER keep_the_audit BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_the_audit()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("new", "gone", "other"):
            op.execute(f"DROP TRIGGER turn_text_{name}")
        op.execute("DROP TABLE turn_text")
    else:
        op.drop_index("ix_turn_text", "turn")
        op.execute("DROP TRIGGER keep_the_audit ON audit")
        op.execute("DROP FUNCTION keep_the_audit")
    op.drop_index("ix_request_state", "request")
    op.drop_index("ix_turn_helpful", "turn")
    op.drop_index("ix_turn_delivery", "turn")
    op.drop_index("ix_conversation_waiting", "conversation")
    op.drop_index("ix_conversation_inbox", "conversation")
    op.drop_column("turn", "delivery")
    for name in ("confidence", "length", "held_until", "assignee_id", "holder_id", "waiting_since", "state"):
        op.drop_column("conversation", name)
    for name in ("topics", "labels", "flags"):
        op.drop_column("conversation", name)
    for name in TABLES:
        op.drop_table(name)
