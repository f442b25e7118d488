"""What Telegram has handed over: kept before it is worked on, so that nothing is lost or done twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "telegram_update",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("chat", sa.BigInteger),
        sa.Column("message", sa.BigInteger),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("done_at", moment),
    )
    op.create_index("ix_telegram_update_chat", "telegram_update", ["chat", "message"])
    op.create_index("ix_telegram_update_done", "telegram_update", ["done_at"])


def downgrade() -> None:
    op.drop_table("telegram_update")
