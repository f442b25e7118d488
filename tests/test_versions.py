"""Model versions: kept, compared, put live, taken back; one training at a time; a running server takes a new one up."""

import asyncio
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import cli
from bot.app import Parts, build
from bot.errors import ModelError, StaffError
from bot.messages import Incoming, Turn
from bot.model_report import AskedQuestion, Part, Report, Row, SentMessage, Summary, compare
from bot.settings import ROOT, Settings
from bot.store import migrate
from bot.versions import Versions, data_revision, hash_of
from evaluation import questions, safety
from evaluation.new_version import became, make_version, measure_revision

SUMMARY = Summary(1, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0, 0.0, 0.0, 0.0, 1.0, {"plain": (1, 1.0)})


def archive(file: Path, name: str, holds: str = "metadata.json") -> Path:
    """What stands for a model: an archive with the file that every model of Rasa has."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as made:
        entry = tarfile.TarInfo(holds)
        entry.size = len(name)
        made.addfile(entry, io.BytesIO(name.encode()))
    return file


def report(*asked: AskedQuestion, sent: tuple[SentMessage, ...] = (), measure: str = "m") -> Report:
    rows = {"en": (Row("danger", 1, 1, 1, 1, 1),), "es": ()}
    return Report(measure, datetime.now(UTC), {"en": SUMMARY, "es": SUMMARY}, rows, asked, sent)


def question(text: str, became: Any, language: Any = "en", *, strange: bool = False) -> AskedQuestion:
    return AskedQuestion(text, language, "cost", strange, "hours" if became == "wrong" else None, became)


def sent(text: str, danger: str | None, told: str | None, language: Any = "en", *, called: bool = False) -> SentMessage:
    return SentMessage(text, language, danger, True, danger is None and text.endswith("?"), told, called or bool(told))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return archive(tmp_path / "models" / "musebot.tar.gz", "the first")


@pytest.fixture
def versions(model: Path) -> Versions:
    return Versions(Settings(model_file=model))


def made(versions: Versions, name: str, by: str = "Ana", told: Report | None = None) -> str:
    """A version as a training makes it; its id."""
    with versions.training(by) as training:
        archive(training.folder / "model.tar.gz", name)
        kept = versions.keep(
            training.folder,
            told or report(),
            by=by,
            note=f"note of {name}",
            data_revision="d" * 12,
            commit="abc1234",
            messages={"en": 2, "es": 3},
        )
        training.end("done", version=kept.id)
    return kept.id


def test_a_version_is_kept_with_what_it_was_made_of_and_its_report(versions: Versions, tmp_path: Path) -> None:
    told = report(question("how much?", "right"), sent=(sent("I can't breathe", "breathing", "breathing"),))
    name = made(versions, "second", told=told)
    (version,) = versions.all()
    assert version == versions.find(name)
    assert (version.by, version.note, version.commit) == ("Ana", "note of second", "abc1234")
    assert version.messages == {"en": 2, "es": 3}
    assert version.id == f"{version.made_at:%Y%m%d-%H%M%S}-{version.sha256[:6]}"
    assert version.headlines["en"].right == version.headlines["en"].found == Part(1, 1)
    assert versions.report(name) == told
    files = {file.name for file in (tmp_path / "models" / "versions" / name).iterdir()}
    assert files == {"model.tar.gz", "version.json", "report.json"}


def test_what_is_live_and_in_no_history_is_told_honestly(versions: Versions, model: Path) -> None:
    live = versions.live()
    assert live is not None
    assert (live.by, live.data_revision, live.headlines) == ("musebot train", None, {})
    assert versions.all() == []
    assert versions.keep_live() == live
    assert versions.all() == [live]
    assert versions.keep_live() == live, "once is enough"
    assert versions.report(live.id) is None
    versions.keep_report(live.id, report(question("how much?", "wrong")))
    assert versions.live().headlines["en"].wrong == Part(1, 1)
    model.unlink()
    assert versions.live() is None
    assert versions.keep_live() is None


def test_put_live_and_back_step_by_step(versions: Versions, model: Path) -> None:
    first = versions.live().id
    second, third = made(versions, "second"), made(versions, "third")
    assert versions.live().id == first, "a training puts nothing live"
    versions.put_live(second, "Ana")
    versions.put_live(third, "Ben")
    assert versions.live().id == third
    assert versions.back("Cy") == versions.live().id == second
    assert versions.back("Cy") == versions.live().id == first, "a step back does not undo a step back"
    with pytest.raises(StaffError, match="No other model was live"):
        versions.back("Cy")
    versions.put_live(third, "Ana")
    assert versions.back("Cy") == first
    told = [(entry.id, entry.by, entry.back) for entry in versions.history()]
    assert told[:3] == [(first, "musebot train", False), (second, "Ana", False), (third, "Ben", False)]
    assert told[3:] == [(second, "Cy", True), (first, "Cy", True), (third, "Ana", False), (first, "Cy", True)]
    assert {version.id for version in versions.all()} == {first, second, third}
    assert sorted(file.name for file in model.parent.iterdir()) == ["musebot.tar.gz", "versions"]


def test_a_model_that_musebot_train_put_there_is_kept_before_another_takes_its_place(
    versions: Versions, model: Path
) -> None:
    second = made(versions, "second")
    versions.put_live(second, "Ana")
    archive(model, "trained by hand")
    stranger = versions.live()
    assert stranger.by == "musebot train"
    assert versions.back("Ana") == second
    assert versions.find(stranger.id) == stranger
    versions.put_live(stranger.id, "Ana")
    assert versions.live() == stranger


@pytest.mark.parametrize(
    ("harm", "key"),
    [
        (lambda folder: (folder / "model.tar.gz").write_bytes(b"no archive"), "broken_version"),
        (lambda folder: (folder / "model.tar.gz").write_bytes(b""), "broken_version"),
        (lambda folder: os.truncate(folder / "model.tar.gz", 80), "broken_version"),
        (lambda folder: archive(folder / "model.tar.gz", "x", holds="something.json"), "broken_version"),
        (lambda folder: archive(folder / "model.tar.gz", "another model"), "broken_version"),
        (lambda folder: (folder / "model.tar.gz").unlink(), "broken_version"),
        (lambda folder: (folder / "version.json").unlink(), "no_version"),
        (lambda folder: folder.rename(folder.with_name(".half")), "no_version"),
        (lambda folder: None, None),  # near miss: it is whole
    ],
)
def test_a_version_that_is_not_whole_is_refused(
    versions: Versions, model: Path, harm: Callable[[Path], Any], key: str | None
) -> None:
    name, before = made(versions, "second"), model.read_bytes()
    harm(model.parent / "versions" / name)
    if key is None:
        versions.put_live(name, "Ana")
        assert versions.live().id == name
        return
    with pytest.raises(StaffError) as refused:
        versions.put_live(name, "Ana")
    assert (refused.value.key, model.read_bytes(), versions.history()) == (key, before, ())


@pytest.mark.parametrize("name", ["", "20261128-101500-abcdef", "..", "../..", "live.json"])
def test_an_unknown_version_is_refused(versions: Versions, name: str) -> None:
    made(versions, "second")
    with pytest.raises(StaffError, match="There is no model version"):
        versions.put_live(name, "Ana")
    assert versions.report(name) is None


def test_what_is_live_already_is_not_put_there_again(versions: Versions) -> None:
    name = made(versions, "second")
    versions.put_live(name, "Ana")
    with pytest.raises(StaffError, match="is live already"):
        versions.put_live(name, "Ana")
    assert [entry.id for entry in versions.history()][1:] == [name]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        (question("a", "right"), question("a", "wrong"), "questions_lost"),
        (question("a", "right", "es"), question("a", "offered", "es"), "questions_lost"),
        (question("a", "refused", "es"), question("a", "wrong", "es"), "questions_lost"),
        (question("a", "refused"), question("a", "unclear"), None),
        (question("a", "wrong"), question("a", "wrong"), None),
        (question("a", "offered"), question("a", "right"), "questions_gained"),
        (question("a", "wrong", strange=True), question("a", "right", strange=True), "questions_gained"),
        (question("a", "right"), question("a", "wrong", "es"), None),  # another message
        (sent("a", "breathing", "breathing"), sent("a", "breathing", None), "dangers_lost"),
        (
            sent("a", "breathing", "breathing", "es"),
            sent("a", "breathing", None, "es", called=True),
            "dangers_lost",
        ),
        (sent("a", "breathing", "breathing"), sent("a", "breathing", "other"), None),  # guidance is guidance
        (sent("a", "breathing", None), sent("a", "breathing", None, called=True), "dangers_gained"),
        (sent("a", None, None), sent("a", None, "breathing"), "alarms_new"),
        (sent("a?", None, None, called=True), sent("a?", None, None), None),
        (sent("a?", None, "breathing", "es"), sent("a?", None, None, "es"), "alarms_gone"),
    ],
)
def test_each_message_that_fares_otherwise_is_listed_once(before: Any, after: Any, place: str | None) -> None:
    both = [report(one) if isinstance(one, AskedQuestion) else report(sent=(one,)) for one in (before, after)]
    told = compare(*both)
    lists = {key: value for key, value in vars(told).items() if key.endswith(("lost", "gained", "new", "gone"))}
    assert {key: [(each.before, each.after) for each in value] for key, value in lists.items() if value} == (
        {place: [(before, after)]} if place else {}
    )


def test_the_figures_before_and_after() -> None:
    before = report(
        question("a", "right"),
        question("b", "wrong"),
        question("c", "wrong", strange=True),
        sent=(sent("d", "breathing", None), sent("e", None, "breathing"), sent("f?", None, None)),
    )
    after = report(
        question("a", "right"),
        question("b", "right"),
        question("c", "right", strange=True),
        sent=(sent("d", "breathing", "breathing"), sent("e", None, "breathing"), sent("f?", None, "breathing")),
    )
    told = compare(before, after)
    figures = {each.name: each for each in (*told.safety["en"], *told.questions["en"])}
    assert {name: (each.before.number, each.after.number, each.after.of) for name, each in figures.items()} == {
        "found": (0, 1, 1),
        "found_explicit": (0, 1, 1),
        "called": (0, 1, 1),
        "near_alarms": (1, 1, 1),
        "ordinary_alarms": (0, 1, 1),
        "right": (1, 2, 2),
        "offered": (0, 0, 2),
        "unclear": (0, 0, 2),
        "refused": (0, 0, 2),
        "wrong": (1, 0, 2),
        "strange_answered": (1, 0, 1),
    }
    verdicts = {name: each.better for name, each in figures.items()}
    assert [name for name, better in verdicts.items() if better is False] == ["ordinary_alarms"]
    assert [name for name, better in verdicts.items() if better is None] == [
        "near_alarms", "offered", "unclear", "refused",
    ]  # fmt: skip
    assert all(each.after.of == 0 for each in told.questions["es"]), "no message in Spanish"
    assert told.same_measure
    assert not compare(before, replace(after, measure="other")).same_measure


@pytest.mark.parametrize(
    ("topic", "decision", "told", "offered", "word"),
    [
        ("cost", "answer", "cost", (), "right"),
        ("cost", "answer", "hours", (), "wrong"),
        ("cost", "clarify", None, ("hours", "cost"), "offered"),
        ("cost", "clarify", None, ("hours",), "unclear"),
        ("cost", "fallback", None, ("cost",), "refused"),
        ("out_of_scope", "fallback", "out_of_scope", (), "right"),
        ("out_of_scope", "fallback", None, (), "right"),
        ("out_of_scope", "clarify", None, ("cost",), "unclear"),
        ("out_of_scope", "answer", "cost", (), "wrong"),
    ],
)
def test_what_became_of_a_question_in_one_word(
    topic: str, decision: Any, told: str | None, offered: tuple[str, ...], word: str
) -> None:
    asked = questions.Question("x", topic, "plain", "en")
    assert became(questions.Outcome(asked, decision, told, offered, told, 0.9, "en")) == word


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda s: (s.nlu_folder / "en" / "cost.yml").write_text("other"), True),
        (lambda s: (s.nlu_folder / "es" / "new.yml").write_text("new"), True),
        (lambda s: s.config_file.write_text("other"), True),
        (lambda s: s.domain_file.write_text("other"), True),
        (lambda s: (s.encoder_folder / "model.onnx").write_bytes(b"other"), True),
        (lambda s: (s.nlu_folder / "README.md").write_text("other"), False),
        (lambda s: s.content_folder.mkdir(), False),
    ],
)
def test_the_data_revision_is_of_all_that_a_model_is_made_of(
    tmp_path: Path, change: Callable[[Settings], Any], counts: bool
) -> None:
    for name in ("nlu/en", "nlu/es", "encoder"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("nlu/en/cost.yml", "config.yml", "domain.yml", "encoder/model.onnx", "encoder/tokenizer.json"):
        (tmp_path / name).write_text("as it is")
    settings = Settings(
        nlu_folder=tmp_path / "nlu",
        config_file=tmp_path / "config.yml",
        domain_file=tmp_path / "domain.yml",
        encoder_folder=tmp_path / "encoder",
        content_folder=tmp_path / "content",
    )
    before = data_revision(settings)
    change(settings)
    assert (data_revision(settings) != before) is counts


def test_the_measure_is_of_the_messages_and_of_the_rules_of_danger(tmp_path: Path) -> None:
    content = shutil.copytree(Settings().content_folder, tmp_path / "content")
    settings = Settings(content_folder=content)
    before = measure_revision(settings)
    assert before == measure_revision(Settings()) != hash_of([])
    (content / "answers" / "muse.yml").write_text("an approval, say")
    assert measure_revision(settings) == before
    (content / "signs" / "common.yml").write_text("other")
    assert measure_revision(settings) != before


def test_a_training_that_fails_or_is_ended_leaves_a_clear_state_and_no_version(
    versions: Versions, tmp_path: Path
) -> None:
    assert versions.progress() is None
    with contextlib.suppress(RuntimeError), versions.training("Ana") as training:
        training.tell(0.5, "training", "TopicClassifier")
        told = versions.progress()
        assert (told.state, told.share, told.step, told.part) == ("running", 0.5, "training", "TopicClassifier")
        assert (told.by, told.pid) == ("Ana", os.getpid())
        archive(training.folder / "model.tar.gz", "half made")
        raise RuntimeError("no room")
    told = versions.progress()
    assert (told.state, told.error) == ("failed", "no room")
    with pytest.raises(KeyboardInterrupt), versions.training("Ben"):
        raise KeyboardInterrupt
    told = versions.progress()
    assert (told.state, told.by, told.error) == ("cancelled", "Ben", None)
    name = made(versions, "second", by="Cy")
    told = versions.progress()
    assert (told.state, told.version, told.by) == ("done", name, "Cy")
    assert [version.id for version in versions.all()] == [name]
    assert not (tmp_path / "models" / "versions" / ".training").exists()


HOLDS = """
import sys, time
from pathlib import Path
from bot.settings import Settings
from bot.versions import Versions
with Versions(Settings(model_file=Path(sys.argv[1]))).training("Dora") as training:
    training.tell(0.3, "training")
    (training.folder / "model.tar.gz").write_bytes(b"half")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other_training(model: Path) -> Iterator[subprocess.Popen[str]]:
    """A training in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, model], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.wait()


def test_one_training_at_a_time_and_a_dead_one_is_known(
    versions: Versions, other_training: subprocess.Popen[str]
) -> None:
    told = versions.progress()
    assert (told.state, told.by, told.pid, told.share) == ("running", "Dora", other_training.pid, 0.3)
    with pytest.raises(StaffError, match="A training runs already, begun by Dora") as refused:
        versions.start("Ana", "")
    assert refused.value.key == "training_runs"
    with pytest.raises(StaffError), versions.training("Ana"):
        pass
    assert versions.progress() == told, "who is refused changes nothing"
    other_training.kill()
    other_training.wait()
    assert versions.progress() == replace(told, state="lost")
    assert versions.all() == []
    assert versions.find(made(versions, "second")), "the next one begins afresh"


def test_cancel_ends_the_training_that_runs_and_nothing_else(
    versions: Versions, other_training: subprocess.Popen[str], model: Path
) -> None:
    other_training.kill()
    other_training.wait()
    record = model.parent / "versions" / "training.json"
    with subprocess.Popen(["sleep", "60"]) as stranger:  # its number is that of the lost training, as may happen
        record.write_text(json.dumps({**json.loads(record.read_text()), "pid": stranger.pid}))
        versions.cancel()
        time.sleep(0.1)
        assert stranger.poll() is None
        stranger.kill()


def wait_for(met: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_start_trains_in_a_process_of_its_own_which_cancel_ends(model: Path) -> None:
    versions = Versions(Settings(model_file=model))
    versions.start("Ana", '--note with "quotes"; and $more')
    told = versions.progress()
    assert (told.state, told.by, told.step) == ("running", "Ana", "starting")
    assert told.pid != os.getpid()
    with pytest.raises(StaffError):  # from the first moment on
        versions.start("Ben", "")
    wait_for(lambda: (model.parent / "versions" / ".training").exists())
    assert os.getpriority(os.PRIO_PROCESS, told.pid) >= 10
    versions.cancel()
    wait_for(lambda: versions.progress().state != "running")
    assert versions.progress().state == "cancelled"
    assert versions.all() == []


def test_a_training_that_cannot_be_made_says_why(model: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("recipe: default.v1\nlanguage: en\npipeline:\n- name: DIETClassifier\n")
    (tmp_path / "few.yml").write_text("nlu:\n- intent: cost\n  examples: [{text: how much is it}]\n")
    settings = Settings(model_file=model, config_file=config, nlu_folder=tmp_path)
    with pytest.raises(ModelError):
        make_version(settings, "Ana", "")
    told = Versions(settings).progress()
    assert (told.state, told.by) == ("failed", "Ana")
    assert "DIETClassifier, which needs TensorFlow" in (told.error or "")
    assert Versions(settings).all() == []


def test_the_commands(versions: Versions, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def musebot(*arguments: str) -> str:
        cli(["model", *arguments], obj=Settings(model_file=model), standalone_mode=False)
        return capsys.readouterr().out

    first = versions.keep_live().id
    well = report(question("¿cuánto vale?", "right", "es"), sent=(sent("no puedo respirar", "b", "b", "es"),))
    ill = report(question("¿cuánto vale?", "wrong", "es"), sent=(sent("no puedo respirar", "b", None, "es"),))
    versions.keep_report(first, well)
    second = made(versions, "second", told=ill)
    compared = musebot("compare")
    assert compared.index("Dangers lost: 1") < compared.index("es: no puedo respirar\n      b -> no alarm")
    assert compared.index("no puedo respirar") < compared.index("Questions lost: 1")
    assert "es: ¿cuánto vale?\n      right -> wrong (hours)" in compared
    assert "WORSE" in compared
    assert "better" in musebot("compare", first, "--before", second)
    assert f"{second} is live." in musebot("live", second, "--by", "Ana")
    rows = [line.split() for line in musebot("list").splitlines()[1:]]
    assert [(row[0], row[1]) for row in rows] == [(second, "live"), (first, "musebot")]
    assert rows[0][-3:] == ["note", "of", "second"]
    assert f"{first} is live again." in musebot("back")
    archive(model, "by hand")
    assert "is in no history yet" in musebot("list")
    with pytest.raises(StaffError, match="has no report"):
        musebot("compare")
    with pytest.raises(StaffError, match="There is no model version none"):
        musebot("live", "none")


@pytest.fixture(scope="module")
def server(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, Path]]:
    """All parts, on a copy of the model that another may take the place of."""
    folder = tmp_path_factory.mktemp("server")
    live = folder / "models" / "musebot.tar.gz"
    live.parent.mkdir()
    shutil.copyfile(model_file, live)
    parts = build(Settings(model_file=live, database_url=f"sqlite:///{folder / 'server.db'}", secret_key="k" * 40))
    migrate(parts.engine)
    yield parts, live
    parts.engine.dispose()


async def test_the_two_sets_are_sent_by_different_people(server: tuple[Parts, Path]) -> None:
    """They share a database: nobody of the second may have a history from the first."""
    parts, _ = server
    await questions.ask_all(parts.conversation, questions.read_questions()[:1])
    await safety.ask_all(parts.conversation, safety.read_messages()[:1])
    with parts.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM conversation").scalar() == 2


async def test_a_running_server_takes_up_a_new_model_and_drops_no_message(
    server: tuple[Parts, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    parts, live = server
    watch = asyncio.create_task(parts.dialogue.watch(0.05))
    turns: list[Turn] = []

    async def ask(person: str, text: str) -> Turn:
        turns.append(await parts.conversation.handle(Incoming("terminal", person, text)))
        return turns[-1]

    asked = [await ask(person, "¿cuánto cuesta?") for person in ("Ana", "Ben")]
    more = await ask("Ana", "más detalles")
    assert [turn.topics for turn in asked] == [("cost",), ("cost",)]
    assert more.replies[0].revision.startswith("cost@")
    old = parts.dialogue._model
    await parts.dialogue.refresh()
    assert parts.dialogue._model is old, "the same file is not loaded again"
    Versions(Settings(model_file=live)).put_live(packed_anew(live), "Ana")
    number = 0
    while parts.dialogue._model is old:
        number += 1
        asked = await asyncio.gather(ask(f"{number} en", "how much is it?"), ask(f"{number} es", "¿cuánto cuesta?"))
        assert [turn.topics for turn in asked] == [("cost",), ("cost",)]
    assert number > 1, "people were answered while the new model was loaded"
    new = parts.dialogue._model
    assert (await ask("Ben", "más detalles")).replies == more.replies, "conversations go on"

    live.write_bytes(b"no model")  # as somebody may copy one there
    await asyncio.sleep(0.2)
    await parts.dialogue.refresh()
    live.unlink()
    await asyncio.sleep(0.2)
    assert (await ask("Ana", "how much is it?")).topics == ("cost",)
    assert parts.dialogue._model is new, "it stays"
    assert not watch.done()
    watch.cancel()
    assert all(turn.failure is None and turn.recorded for turn in turns)
    logged = capfd.readouterr().err
    assert (logged.count("model.loaded"), logged.count("model.not_loaded")) == (1, 1)
    assert "how much" not in logged


def packed_anew(live: Path) -> str:
    """A version with the live model in another archive; its id."""
    versions = Versions(Settings(model_file=live))
    with versions.training("Ana") as training:
        with tarfile.open(live) as old, tarfile.open(training.folder / "model.tar.gz", "w:gz") as fresh:
            for entry in old:
                fresh.addfile(entry, old.extractfile(entry) if entry.isfile() else None)
        told: dict[str, Any] = {"by": "Ana", "note": "", "data_revision": "d", "commit": None, "messages": {}}
        return versions.keep(training.folder, report(), **told).id
