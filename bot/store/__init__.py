"""The one database: transcripts, and the dialogue's working memory beside them."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bot.errors import SettingsError

BUSY_SECONDS = 2  # how long a writer waits for another one before it fails


def open_database(url: str) -> Engine:
    """The engine for `url`. A SQLite file runs in WAL mode, with its folder made where it is missing.

    Raises:
        SettingsError: The address cannot be read, or the folder of the file cannot be made.
    """
    try:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        # Hidden parameters: an error of the database must not quote what a patient wrote.
        engine = create_engine(
            parsed, connect_args={"timeout": BUSY_SECONDS} if is_sqlite else {}, hide_parameters=True
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise SettingsError(
            f"DATABASE_URL cannot be used ({error}). Give an address such as sqlite:///var/musebot.db"
        ) from error
    if is_sqlite and parsed.database:
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(f"The folder of {parsed.database} cannot be made: {error.strerror}.") from error
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def migrate(engine: Engine) -> None:
    """Brings the tables to the newest form; does nothing when they have it.

    Raises:
        SettingsError: The database cannot be opened or changed.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except (SQLAlchemyError, CommandError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise SettingsError(
            f"The database {engine.url.render_as_string()} cannot be used ({reason}). "
            "Check that it exists and that this user may write to it and to its folder, or set DATABASE_URL."
        ) from error


def forget_words(engine: Engine) -> None:
    """Takes what was deleted out of the index of words and out of the files: SQLite leaves it there for a while."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO turn_text (turn_text) VALUES ('optimize')"))
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
    cursor.close()
