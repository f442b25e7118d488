"""Real parts for every test: the project's content and data, a model trained once, a database of its own each time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import lean

lean.prepare()

from bot.app import Parts, build  # noqa: E402 - Rasa is imported below this line
from bot.content import Content  # noqa: E402
from bot.content_reader import read_content  # noqa: E402
from bot.settings import OUR_ENCODER, ROOT, Settings  # noqa: E402
from bot.store import migrate  # noqa: E402
from bot.training import train  # noqa: E402


@pytest.fixture(scope="session")
def content() -> Content:
    return read_content(Settings().content_folder)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that `make setup` trained, if no file that goes into it is newer; else one made for these tests."""
    if made := os.environ.get("TEST_MODEL_FILE"):
        return Path(made)
    ours = Settings()
    sources = [
        ours.config_file,
        ours.domain_file,
        *ours.nlu_folder.rglob("*.yml"),
        *(ROOT / "bot" / "nlu").rglob("*.py"),
    ]
    changed = max(file.stat().st_mtime for file in [*sources, OUR_ENCODER / "model.onnx"] if file.exists())
    if ours.model_file.exists() and ours.model_file.stat().st_mtime > changed:
        return ours.model_file
    return train(Settings(model_file=tmp_path_factory.mktemp("model") / "musebot.tar.gz"))


@pytest.fixture(scope="session")
def trained(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Everything wired once: loading takes seconds, so tests that only talk share it under names of their own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'shared.db'}"
    parts = build(Settings(model_file=model_file, database_url=url, secret_key="k" * 40))
    migrate(parts.engine)
    return parts


@pytest.fixture
def settings(model_file: Path, tmp_path: Path) -> Settings:
    """The settings of a new installation with a database of its own."""
    return Settings(model_file=model_file, database_url=f"sqlite:///{tmp_path / 'test.db'}", secret_key="k" * 40)


@pytest.fixture
def parts(trained: Parts, settings: Settings) -> Iterator[Parts]:
    """The shared model on a database of its own."""
    from dataclasses import replace

    from bot.store import open_database
    from bot.store.transcripts import Transcripts
    from bot.store.updates import Updates

    engine = open_database(settings.database_url)
    migrate(engine)
    transcripts = Transcripts(engine, trained.targets)
    conversation = replace(trained.conversation, transcripts=transcripts)
    shared, trained.requests.engine = trained.requests.engine, engine  # the model's actions read the requests
    yield replace(trained, engine=engine, transcripts=transcripts, updates=Updates(engine), conversation=conversation)
    trained.requests.engine = shared
    engine.dispose()
