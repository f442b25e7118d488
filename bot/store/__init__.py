"""The one database: transcripts, and the dialogue's working memory beside them."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url

from bot.errors import SettingsError

BUSY_SECONDS = 2  # how long a writer waits for another one before it fails


def open_database(url: str) -> Engine:
    """The engine for `url`. A SQLite file runs in WAL mode, with its folder made where it is missing.

    Raises:
        SettingsError: The address cannot be read.
    """
    try:
        parsed = make_url(url)
    except Exception as error:
        raise SettingsError("DATABASE_URL is not an address of a database, such as sqlite:///var/musebot.db") from error
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    # Hidden parameters: an error of the database must not quote what a patient wrote.
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS} if is_sqlite else {}, hide_parameters=True)
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Brings the tables to the newest form; does nothing when they have it."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
