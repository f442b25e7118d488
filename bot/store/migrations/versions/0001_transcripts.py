"""Conversations and turns."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(128), nullable=False),
        sa.Column("language", sa.String(2)),
        sa.Column("language_chosen", sa.Boolean, nullable=False),
        sa.Column("buttons", sa.JSON, nullable=False),
        sa.Column("alarm", sa.String(64)),
        sa.Column("dialogue", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("channel", "sender"),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.Integer, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("update_id", sa.String(128)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("button", sa.Text),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("topics", sa.JSON, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.Column("replies", sa.JSON, nullable=False),
        sa.Column("revisions", sa.JSON, nullable=False),
        sa.Column("failure", sa.String(256)),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("channel", "update_id"),
    )
    op.create_index("ix_turn_conversation", "turn", ["conversation_id", "id"])


def downgrade() -> None:
    op.drop_table("turn")
    op.drop_table("conversation")
