"""The database: what is written comes back, and the tables are what the models say."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.errors import SettingsError
from bot.messages import Button, Candidate, Citation, Claim, Incoming, Memory, Reply, Turn
from bot.store import migrate, models, open_database
from bot.store.transcripts import Transcripts

SOURCE = Citation("koda-2024", "A title", 2024, "Study in people", "https://doi.org/10.1186/s13287-024-03842-w")
REPLY = Reply(
    text="Sí, señora: ñandú 🙏",
    claims=(Claim("one", (SOURCE,)), Claim("two", (SOURCE,))),
    unknown="much",
    evidence="little",
    notes=("draft",),
    buttons=(Button("More", '/more_detail{"topic": "cost"}'), Button("Call", "tel:123")),
    urgent=True,
    revision="cost@abc",
)
TURN = Turn("es", "answer", (REPLY,), ("cost",), (Candidate("cost", 0.9),), milliseconds=4.2)
MEMORY = Memory(
    language="es",
    chosen=True,
    buttons=REPLY.buttons,
    alarm="crisis_suicide",
    dialogue={"slots": {"last_topic": "cost"}},
)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'folder' / 'test.db'}")
    migrate(engine)
    return engine


def message(text: str = "¿cuánto?", update_id: str | None = None, sender: str = "anna") -> Incoming:
    return Incoming("web", sender, text, update_id=update_id)


def test_what_is_written_comes_back(engine: Engine) -> None:
    transcripts = Transcripts(engine)
    transcripts.record(message(), TURN, MEMORY)
    (said,) = transcripts.of("web", "anna")
    assert (said.text, said.language, said.decision, said.replies) == ("¿cuánto?", "es", "answer", (REPLY,))
    assert said.at.tzinfo is not None
    assert transcripts.memory(message()) == MEMORY


def test_a_turn_without_a_memory_leaves_the_old_one(engine: Engine) -> None:
    transcripts = Transcripts(engine)
    transcripts.record(message("one"), TURN, MEMORY)
    transcripts.record(message("two"), TURN, None)
    assert transcripts.memory(message()) == MEMORY
    assert [said.text for said in transcripts.of("web", "anna")] == ["one", "two"]


def test_of_someone_new_nothing_is_remembered(engine: Engine) -> None:
    assert Transcripts(engine).memory(message()) == Memory()


def test_seen_is_by_channel_and_update(engine: Engine) -> None:
    transcripts = Transcripts(engine)
    transcripts.record(message(update_id="7"), TURN, MEMORY)
    assert transcripts.seen(message(update_id="7"))
    assert not transcripts.seen(message(update_id="8"))
    assert not transcripts.seen(Incoming("telegram", "anna", update_id="7"))
    assert not transcripts.seen(message(update_id=None))


def test_the_database_itself_refuses_a_message_twice_and_then_keeps_nothing_of_it(engine: Engine) -> None:
    transcripts = Transcripts(engine)
    transcripts.record(message(update_id="7"), TURN, MEMORY)
    with pytest.raises(IntegrityError):
        transcripts.record(message(update_id="7"), TURN, Memory(language="en"))
    assert transcripts.memory(message()) == MEMORY, "turn and memory are one transaction"


def test_a_conversation_takes_its_turns_with_it(engine: Engine) -> None:
    Transcripts(engine).record(message(), TURN, MEMORY)
    with Session(engine) as session, session.begin():
        session.execute(delete(models.Conversation))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM turn")).scalar_one() == 0


def test_many_people_at_once(engine: Engine) -> None:
    transcripts = Transcripts(engine)
    failures: list[Exception] = []

    def talk(sender: str) -> None:
        try:
            for number in range(10):
                transcripts.record(message(f"m{number}", f"{sender}-{number}", sender), TURN, MEMORY)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=talk, args=(f"p{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(len(transcripts.of("web", f"p{n}")) == 10 for n in range(8))


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    with engine.connect() as connection:
        # The full-text index is SQLite's own kind of table, with others behind it.
        theirs = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("turn_text")}
        context = MigrationContext.configure(connection, opts={"render_as_batch": True, **theirs})
        assert compare_metadata(context, models.Base.metadata) == []


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    Transcripts(engine).record(message(), TURN, MEMORY)
    migrate(engine)
    assert len(Transcripts(engine).of("web", "anna")) == 1


def test_sqlite_writes_ahead(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("this is no database, but long enough to be taken for one" * 50)
    for name in ("folder.db", "text.db"):
        with pytest.raises(SettingsError, match=f"{name} cannot be used"):
            migrate(open_database(f"sqlite:///{tmp_path / name}"))
    with pytest.raises(SettingsError, match="cannot be made"):
        open_database(f"sqlite:///{tmp_path / 'text.db' / 'below.db'}")


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL cannot be used"):
        open_database("not a database")
