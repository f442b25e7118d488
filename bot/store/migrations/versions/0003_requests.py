"""Requests for a call, what became of each, and what is on its way to the clinic's staff."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("asking", sa.String(16)))
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "request",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("conversation_id", sa.Integer, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("contact", sa.String(254), nullable=False),
        sa.Column("draft", sa.JSON, nullable=False),
        sa.Column("agreed_at", moment),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.UniqueConstraint("code"),
    )
    op.create_index("ix_request_conversation", "request", ["conversation_id"])
    op.create_index("ix_request_contact", "request", ["contact", "created_at"])
    op.create_table(
        "request_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.Integer, sa.ForeignKey("request.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_index("ix_request_event_request", "request_event", ["request_id"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("conversation_id", sa.Integer, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("request_id", sa.Integer, sa.ForeignKey("request.id", ondelete="CASCADE")),
        sa.Column("topic", sa.String(64)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failure", sa.String(256)),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("due_at", moment),
        sa.Column("sent_at", moment),
    )
    op.create_index("ix_outbox_due", "outbox", ["due_at"])
    op.create_index("ix_outbox_conversation", "outbox", ["conversation_id"])


def downgrade() -> None:
    for name in ("outbox", "request_event", "request"):
        op.drop_table(name)
    op.drop_column("conversation", "asking")
