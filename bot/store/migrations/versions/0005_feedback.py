"""Whether a reply helped, as the person says; and room for turns that are numbered by the microsecond."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # there every whole number has room
        op.alter_column("turn", "id", type_=sa.BigInteger)
    op.add_column("turn", sa.Column("helpful", sa.Boolean))
    op.add_column("turn", sa.Column("reason", sa.String(16)))


def downgrade() -> None:  # the numbers stay as they are
    op.drop_column("turn", "reason")
    op.drop_column("turn", "helpful")
