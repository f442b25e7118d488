"""Whether a reply helped, as the person says."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turn", sa.Column("helpful", sa.Boolean))
    op.add_column("turn", sa.Column("reason", sa.String(16)))


def downgrade() -> None:
    op.drop_column("turn", "reason")
    op.drop_column("turn", "helpful")
