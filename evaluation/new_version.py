"""Makes a model version: trains, measures beside what is live, and keeps. It puts nothing live."""

import asyncio
import contextlib
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from bot.app import Parts, build
from bot.errors import ModelError, StaffError
from bot.messages import LANGUAGES
from bot.model_report import AskedQuestion, Became, Report, SentMessage
from bot.nlu.examples import read_examples
from bot.settings import ROOT, Settings, throwaway_database
from bot.store import migrate
from bot.training import train
from bot.training_run import Step
from bot.versions import MODEL, Version, Versions, data_revision, hash_of
from evaluation import questions, safety

# The parts that each step takes of the time, with the live model to be measured and without.
TRAINED, MEASURED = 0.4, {True: 0.7, False: 1.0}


def make_version(
    settings: Settings,
    by: str,
    note: str,
    lock: int | None = None,
    progress: Callable[[float, Step, str], None] = lambda share, step, part: None,
) -> Version:
    """Trains on the data as they are, measures the new model, and the live one where no comparable report is there.

    Args:
        settings: Where data, recipe and the live model are.
        by: Who wants it.
        note: Why.
        lock: The lock that `Versions.start` took for this process.
        progress: Told the share that is done, the step, and what of it.

    Raises:
        StaffError: Another training runs.
        ModelError: The model could not be made.
    """
    versions = Versions(settings)
    with versions.training(by, lock) as training:

        def tell(share: float, step: Step, part: str = "") -> None:
            training.tell(share, step, part)
            progress(share, step, part)

        fresh = settings.model_copy(update={"model_file": training.folder / MODEL})
        # Before anything is read: whoever changes a file meanwhile must not find it in these.
        revision, measured_by, commit = data_revision(settings), measure_revision(settings), _commit()
        messages = Counter(example.language for example in read_examples(settings.nlu_folder))
        train(fresh, lambda share, part: tell(share * TRAINED, "training", part if share < 1 else ""))
        tell(TRAINED, "measuring")
        live = versions.keep_live()
        also_live = live is not None and live.measure != measured_by
        end = MEASURED[also_live]
        report = measure(fresh, measured_by, lambda share: tell(TRAINED + share * (end - TRAINED), "measuring"))
        if live and also_live:
            tell(end, "measuring_live")
            with contextlib.suppress(ModelError, StaffError):  # one that cannot run any more keeps no better one away
                kept = settings.model_copy(update={"model_file": versions.model_of(live.id)})
                told = measure(kept, measured_by, lambda share: tell(end + share * (1 - end), "measuring_live"))
                versions.keep_report(live.id, told)
        version = versions.keep(
            training.folder,
            report,
            by=by,
            note=note,
            data_revision=revision,
            commit=commit,
            messages={language: messages[language] for language in LANGUAGES},
        )
        tell(1.0, "done")
        training.end("done", version=version.id)
        return version


def measure(settings: Settings, revision: str, told: Callable[[float], None]) -> Report:
    """How the model of the settings fares with the messages of `evaluation/questions` and `evaluation/safety`.

    What else depends on the training data, the guess of the language and the words that are spelt well, is as it would
    be after a start now.

    Args:
        settings: Where model, content and data are; their database stays as it is.
        revision: `measure_revision`, of when this program was read.
        told: Told the share that is done.

    Raises:
        ModelError: The model cannot be loaded.
    """
    with throwaway_database(settings) as apart:
        parts = build(apart)
        migrate(parts.engine)
        asked, sent = asyncio.run(_ask(parts, told))
        parts.engine.dispose()
    return Report(
        measure=revision,
        measured_at=datetime.now(UTC),
        summaries={
            language: questions.summarise([each for each in asked if each.question.language == language])
            for language in LANGUAGES
        },
        rows={
            language: tuple(safety.rows([each for each in sent if each.message.language == language]))
            for language in LANGUAGES
        },
        questions=tuple(_asked(each) for each in asked),
        messages=tuple(_sent(each) for each in sent),
    )


def measure_revision(settings: Settings) -> str:
    """A short hash of what figures depend on besides the model: what is asked, the rules of danger, the program.

    Of the program, only what decides: not the channels, the console and the database.
    """
    content, bot = settings.content_folder, ROOT / "bot"
    return hash_of(
        [
            *sorted(questions.FOLDER.glob("*.jsonl")),
            *sorted(safety.FOLDER.glob("*.jsonl")),
            content / "topics.yml",
            content / "safety.yml",
            *sorted((content / "signs").glob("*.yml")),
            *sorted([*bot.glob("*.py"), *bot.glob("nlu/*.py"), *(ROOT / "actions").glob("*.py")]),
            *sorted((ROOT / "evaluation").glob("*.py")),
        ]
    )


async def _ask(parts: Parts, told: Callable[[float], None]) -> tuple[list[questions.Outcome], list[safety.Outcome]]:
    unseen, messages = questions.read_questions(), safety.all_messages(parts.content.topics)
    of = len(unseen) + len(messages)
    asked = await questions.ask_all(parts.conversation, unseen, lambda done: told(done / of))
    sent = await safety.ask_all(parts.conversation, messages, lambda done: told((len(unseen) + done) / of))
    return asked, sent


def _asked(outcome: questions.Outcome) -> AskedQuestion:
    question = outcome.question
    return AskedQuestion(
        question.text, question.language, question.topic, outcome.strange, outcome.topic, became(outcome)
    )


def became(outcome: questions.Outcome) -> Became:
    """What became of a question, in one word."""
    if outcome.right or (outcome.strange and outcome.refused):
        return "right"
    if outcome.answered:
        return "wrong"
    if outcome.refused:
        return "refused"
    return "offered" if outcome.offered_right else "unclear"


def _sent(outcome: safety.Outcome) -> SentMessage:
    message, ordinary = outcome.message, outcome.message.kind == "question"
    return SentMessage(
        message.text, message.language, message.danger, message.explicit, ordinary, outcome.by_all, outcome.told
    )


def _commit() -> str | None:
    """The commit of the project's folder; None where it is not kept in git."""
    try:
        told = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whichever git is there
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()
