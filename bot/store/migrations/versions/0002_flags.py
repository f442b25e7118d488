"""Where the person is, and whether staff should look at the conversation now."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversation", sa.Column("country", sa.String(16)))
    op.add_column("conversation", sa.Column("flag", sa.String(32)))
    op.add_column("conversation", sa.Column("flagged_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    for name in ("flagged_at", "flag", "country"):
        op.drop_column("conversation", name)
