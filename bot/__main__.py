"""The command line: `musebot --help`."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot import lean
from bot.errors import BotError, ModelError, RequestError, SettingsError, StaffError
from bot.messages import LANGUAGES, REQUEST_STATES, Language, RequestState
from bot.settings import ROOT, Settings, read_settings, throwaway_database

if TYPE_CHECKING:
    from bot.app import Parts
    from bot.checks import Row
    from bot.model_report import Change, Figure, Report, Summary
    from bot.store.requests import Request
    from bot.store.staff import Staff
    from bot.versions import Version, Versions
    from evaluation import safety
    from evaluation.questions import Outcome

T = TypeVar("T")
Told = Callable[[float], None]  # is told the share that is done
Ask = Callable[["Parts", Told], Coroutine[Any, Any, T]]

_NUMBERS = {"words en", "es", "grade en", "ease es", "claims"}

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Answers about Muse cells and spinal cord injury, in English and Spanish, with a source for every claim.",
)
measures = typer.Typer(no_args_is_help=True, help="Measure quality on what no training file holds.")
cli.add_typer(measures, name="evaluate")
encoder = typer.Typer(no_args_is_help=True, help="Make the sentence model of bot/nlu/encoder; rarely needed.")
cli.add_typer(encoder, name="encoder")
screen = Console(soft_wrap=True, highlight=False, markup=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


def main() -> None:
    """Runs a command; what a person can mend ends in a sentence, never in a traceback."""
    try:
        settings = read_settings()
        lean.prepare()
        cli(obj=settings)
    except BotError as error:
        errors.print(f"musebot: {error}")
        sys.exit(1)


@cli.command()
def train(context: typer.Context) -> None:
    """Make the model from config.yml, domain.yml and nlu_data. Takes about a minute."""
    settings: Settings = context.obj
    from bot.training import train as make

    with progress_bar("Training") as bar:
        task = bar.add_task("reading the examples", total=1.0)
        made = make(settings, lambda share, step: bar.update(task, completed=share, description=step))
    screen.print(f"The model is ready: {made.name}, {made.stat().st_size / 1e6:.1f} MB")


def progress_bar(title: str) -> Progress:
    """A bar on standard error that tells what is being done."""
    return Progress(
        TextColumn(title), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=errors
    )


@cli.command()
def chat(
    context: typer.Context,
    lang: Annotated[Language, typer.Option(help="Language of the greeting.")] = "en",
) -> None:
    """Talk to the assistant here. Type the number of a choice, or "exit" to leave. Nothing is kept."""
    from bot.app import build
    from bot.channels.terminal import chat as talk
    from bot.store import migrate

    def ask() -> str | None:
        try:
            line = input("> ")
        except (EOFError, KeyboardInterrupt):
            return None
        return None if line.strip().casefold() in ("exit", "quit", "salir") else line

    with throwaway_database(context.obj) as settings:
        parts = build(settings)
        migrate(parts.engine)
        asyncio.run(talk(ask, screen.print, parts.conversation.handle, parts.content, lang))


@cli.command()
def ask(
    context: typer.Context,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Messages as JSON lines on standard input.")] = False,
    database: Annotated[str | None, typer.Option(help="Use this database instead of a throw-away one.")] = None,
    text: Annotated[str | None, typer.Argument(help="One question; or use --jsonl.")] = None,
) -> None:
    """Ask one question, or many as JSON lines.

    With --jsonl each line of standard input is {"conversation": "c1", "text": "how much is it?"}, with "lang" and
    "button" if wanted, and gives one line of JSON. Lines of one conversation share its state.
    """
    from bot.app import build
    from bot.channels.jsonl import answer_lines
    from bot.channels.plain import lines_of
    from bot.messages import Incoming
    from bot.store import migrate

    if jsonl == (text is not None):
        raise typer.BadParameter("give either a question or --jsonl")

    def write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with throwaway_database(context.obj, instead=database) as settings:
        parts = build(settings)
        migrate(parts.engine)
        if jsonl:
            for stream in (sys.stdin, sys.stdout):
                stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # text streams here
            asyncio.run(answer_lines(sys.stdin, parts.conversation.handle, write))
        else:
            turn = asyncio.run(parts.conversation.handle(Incoming("jsonl", "one", text or "")))
            for line in lines_of(turn.replies, parts.content, turn.language):
                screen.print(line)


@cli.command()
def check(
    context: typer.Context,
    clinic: Annotated[bool, typer.Option("--clinic", help="List what the clinic has not filled in yet.")] = False,
) -> None:
    """Check content, training data, topics and recipe; lists every problem at once. Exit status 1 if there is one.

    Prints a table: words before "more" in English and Spanish, school grade of the English (at most 8), ease of the
    Spanish (at least 55), claims, evidence label, state of the medical review.
    """
    settings: Settings = context.obj
    if clinic:
        _print_empty_details(settings)
        return
    from bot.checks import check as check_everything
    from bot.nlu.encoder.sentences import encoder_name

    rows, problems = check_everything(settings)
    if rows:
        Console(width=max(screen.width, 130)).print(_table_of(rows))
    for problem in problems:
        errors.print(f"- {problem}")
    if problems:
        errors.print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found.")
        raise typer.Exit(1)
    screen.print("No problem found in content, training data and recipe.")
    screen.print(f"Sentence model in use: {encoder_name(settings.encoder_folder)}.")


def _table_of(rows: "list[Row]") -> Table:
    table = Table(box=None, header_style="bold")
    for heading in ("topic", "kind", "file", "words en", "es", "grade en", "ease es", "claims", "evidence", "review"):
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=True)
    for row in rows:
        words = (str(row.words.get(language, "")) for language in LANGUAGES)
        levels = (f"{row.difficulty[language]:.1f}" if row.difficulty else "" for language in LANGUAGES)
        table.add_row(row.topic, row.kind, row.place, *words, *levels, str(row.claims or ""), row.evidence, row.state)
    return table


def _print_empty_details(settings: Settings) -> None:
    from bot.checks import empty_details
    from bot.content_reader import read_content

    empty = empty_details(read_content(settings.content_folder))
    for name, about, topics in empty:
        screen.print(f"- {name}: {about} (used in: {', '.join(topics) or 'no answer yet'})")
    screen.print(
        f"{len(empty)} details of the clinic are still empty in content/clinic.yml." if empty else "All filled."
    )


@cli.command()
def show(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="A topic of content/topics.yml, such as walk_again.")],
    lang: Annotated[Language, typer.Option(help="en or es.")] = "en",
) -> None:
    """Print what patients read on a topic, with what lies behind "more", its sources and its revision."""
    from bot.preview import preview

    settings: Settings = context.obj
    for line in preview(settings, topic, lang):
        screen.print(line)


@cli.command()
def teach(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(help="What the message is about: a topic of content/topics.yml.")],
    text: Annotated[str, typer.Argument(help="The message, as a person typed it, without name or number.")],
    lang: Annotated[Language, typer.Option(help="Its language, en or es.")] = "en",
    english: Annotated[str | None, typer.Option(help="The English of a Spanish message.")] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Train, and tell what the evaluation gains or loses.")
    ] = False,
) -> None:
    """Add a training message to a topic. Tells first whether the model knows it already; then nothing is added."""
    from bot.teaching import add_example

    settings: Settings = context.obj
    with throwaway_database(settings) as throwaway:
        told = _understood(throwaway, text, lang)
    if told == topic:
        screen.print(f"This teaches nothing new: the model takes it for {topic} already.")
        return
    file = add_example(settings.nlu_folder, topic, lang, text, english)
    screen.print(f"Added to {file.name}. So far the model took it for {told or 'nothing that it is sure of'}.")
    if not measure:
        screen.print("Next: musebot check, musebot train; --measure tells what the evaluation gains or loses.")
        return
    before = _summaries(_asked(settings, train_anew=False))
    after = _summaries(_asked(settings, train_anew=True))
    for language in LANGUAGES:
        old, new = before[language], after[language]
        screen.print(
            f"{language}: right {old.right * 100:.1f} % -> {new.right * 100:.1f} %, "
            f"wrong {old.wrong * 100:.1f} % -> {new.wrong * 100:.1f} %, "
            f"out of scope answered {old.strange_answered * 100:.1f} % -> {new.strange_answered * 100:.1f} %"
        )


def _understood(settings: Settings, text: str, language: Language) -> str | None:
    """The topic that the model takes a message for; None where it asks or gives up."""
    from bot.app import build
    from bot.messages import Incoming
    from bot.store import migrate

    parts = build(settings)
    migrate(parts.engine)
    turn = asyncio.run(parts.conversation.handle(Incoming("teach", "one", text, language=language)))
    return turn.topics[0] if turn.topics and turn.decision not in ("clarify", "fallback") else None


def _summaries(outcomes: "list[Outcome]") -> "dict[str, Summary]":
    from evaluation.questions import summarise

    return {
        language: summarise([each for each in outcomes if each.question.language == language]) for language in LANGUAGES
    }


@measures.command("questions")
def evaluate_questions(
    context: typer.Context,
    report: Annotated[Path, typer.Option(help="Where to write the HTML report.")] = Path("var/evaluation.html"),
    as_is: Annotated[bool, typer.Option("--as-is", help="Use the model that is there; do not train one.")] = False,
    second: Annotated[bool, typer.Option("--second", help="Ask those of evaluation/second, for a last check.")] = False,
) -> None:
    """Ask the unseen questions of evaluation/questions through the whole main path, and print what became of them."""
    from evaluation.questions import FOLDER, SECOND, confusions
    from evaluation.report import write_report

    outcomes = _asked(context.obj, train_anew=not as_is, folder=SECOND if second else FOLDER)
    summaries = _summaries(outcomes)
    Console(width=max(screen.width, 100)).print(_figures(summaries))
    for asked, answered, count in confusions(outcomes)[:10]:
        screen.print(f"  {count} x {asked} answered as {answered}")
    write_report(report, outcomes, summaries)
    screen.print(f"The report is {report}")


def _asked(chosen: Settings, *, train_anew: bool, folder: Path | None = None) -> "list[Outcome]":
    """What became of the unseen questions, with the model that is there or with one made for it."""
    from evaluation.questions import FOLDER, ask_all, read_questions

    questions = read_questions(folder or FOLDER)
    return _with_model(
        chosen,
        lambda parts, told: ask_all(parts.conversation, questions, lambda done: told(done / len(questions))),
        train_anew=train_anew,
    )


def _with_model(chosen: Settings, ask: "Ask[T]", *, train_anew: bool) -> "T":
    """What `ask` finds out with the model that is there or with one made for it, and a database that is thrown away."""
    from bot.app import build
    from bot.store import migrate
    from bot.training import train as make

    with throwaway_database(chosen) as settings, progress_bar("Measuring") as bar:
        task = bar.add_task("reading the examples", total=1.0)
        if train_anew:
            fresh = Path(settings.database_url.removeprefix("sqlite:///")).with_name("musebot.tar.gz")
            settings = settings.model_copy(update={"model_file": fresh})
            make(settings, lambda share, step: bar.update(task, completed=share / 2, description=step))
        parts = build(settings)
        migrate(parts.engine)
        return asyncio.run(ask(parts, lambda share: bar.update(task, completed=0.5 + share / 2, description="asking")))


@measures.command("safety")
def evaluate_safety(
    context: typer.Context,
    as_is: Annotated[bool, typer.Option("--as-is", help="Use the model that is there; do not train one.")] = False,
) -> None:
    """Send the messages of evaluation/safety through the whole main path: dangers found, false alarms, every miss."""
    from bot.content_reader import read_content
    from evaluation import safety

    messages = safety.all_messages(read_content(context.obj.content_folder).topics)

    async def ask(parts: "Parts", told: Told) -> "tuple[list[safety.Outcome], dict[str, float]]":
        outcomes = await safety.ask_all(parts.conversation, messages, lambda done: told(done / len(messages)))
        return outcomes, safety.times(parts.conversation.triage, messages)

    outcomes, times = _with_model(context.obj, ask, train_anew=not as_is)
    for name, milliseconds in times.items():
        screen.print(f"rules, {name}: {milliseconds:.2f} ms")
    for language in LANGUAGES:
        of_language = [each for each in outcomes if each.message.language == language]
        table = Table(title=language, box=None, header_style="bold", title_justify="left")
        for heading in ("", "messages", "alarm by rules %", "alarm %", "its own guidance %", "told whom to call %"):
            table.add_column(heading, justify="right" if heading else "left")
        for row in safety.rows(of_language):
            shares = (f"{part / max(row.count, 1) * 100:.1f}" for part in (row.rules, row.all, row.own, row.told))
            table.add_row(row.name, str(row.count), *shares)
        Console(width=max(screen.width, 100)).print(table)
        screen.print("Missed:")
        for each in safety.missed(of_language):
            explicit, told = each.message.explicit, each.told
            how = f"{', explicit' if explicit else ''}{', told whom to call' if told else ''}"
            screen.print(f"  {each.message.danger}{how}: {each.message.text}")
        screen.print("False alarms:")
        for each in safety.false_alarms(of_language):
            by = "by the rules" if each.by_rules else "by the second net"
            screen.print(f"  {each.message.kind}, taken for {each.by_all} {by}: {each.message.text}")


@measures.command("doubt")
def evaluate_doubt(
    context: typer.Context,
    fold: Annotated[
        int | None, typer.Option(min=0, max=4, help="Ask this fifth only: the one that an encoder left out.")
    ] = None,
) -> None:
    """Cross-validate how sure the assistant must be, on the training messages alone. Takes a few minutes.

    Our sentence model has learnt the topics of these messages, so that with it the figures flatter. For true ones make
    another that does not know a fifth of them, `.venv-encoder/bin/musebot encoder train --leave-out 0 --out DIR`, and
    ask only those: `ENCODER_FOLDER=DIR musebot evaluate doubt --fold 0`.
    """
    import yaml

    from actions.unsure import OFFERED
    from bot.content_reader import read_content
    from bot.nlu.encoder.sentences import read_encoder
    from bot.nlu.examples import FOLDS, read_examples
    from evaluation.doubt import cross_validate, try_settings

    settings: Settings = context.obj
    pipeline = yaml.safe_load(settings.config_file.read_text(encoding="utf-8"))["pipeline"]
    of = {each["name"].rpartition(".")[2]: {k: v for k, v in each.items() if k != "name"} for each in pipeline}
    topics = read_content(settings.content_folder).topics
    offered = frozenset(key for key, topic in topics.items() if topic.kind in OFFERED)
    examples = [each for each in read_examples(settings.nlu_folder) if each.topic in topics]
    with progress_bar("Measuring") as bar:
        task = bar.add_task("learning four fifths, asking the rest", total=1.0)
        told = cross_validate(
            examples,
            of["TopicClassifier"],
            read_encoder(settings.encoder_folder),
            range(FOLDS) if fold is None else [fold],
            lambda share: bar.update(task, completed=share),
        )
    table = Table(box=None, header_style="bold")
    headings = ("", "", "right", "wrong", "offered", "refused", "at a loss", "strange answered", "strange refused")
    for heading in (*headings, "danger found", "false alarms"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, value, figures in try_settings(told, of["Doubt"], offered):
        shares = (f"{share * 100:.1f}" for share in vars(figures).values())
        table.add_row(name, "" if value is None else f"{value:g}", *shares)
    Console(width=max(screen.width, 130)).print(table)
    screen.print(
        f"Best sharpness {told.sharpness:.1f} and meaning {told.meaning:.2f}; "
        f"calibration error {told.calibration * 100:.1f} %. All in percent."
    )


@measures.command("widget")
def evaluate_widget(context: typer.Context) -> None:
    """Time the chat on web pages in a real browser: its script, and from Enter to the answer on the screen."""
    from statistics import quantiles

    from evaluation.questions import read_questions
    from evaluation.widget import measure

    texts = [each.text for each in read_questions() if each.language == "en"][::8]
    with throwaway_database(context.obj) as settings, progress_bar("Measuring") as bar:
        task = bar.add_task("asking", total=1.0)
        speed = measure(settings, texts, lambda share: bar.update(task, completed=share))
    screen.print(f"scripts until the button stands there: {speed.script:.1f} ms")
    for name, times in (("from Enter to the answer", speed.answers), ("the server alone", speed.server)):
        parts = quantiles(times, n=20)
        screen.print(f"{name}, {len(times)} messages: p50 {parts[9]:.0f} ms, p95 {parts[18]:.0f} ms")


@measures.command("staff")
def evaluate_staff(
    context: typer.Context,
    conversations: Annotated[int, typer.Option(min=100, help="How many there are.")] = 100_000,
) -> None:
    """Time the pages of the staff on a made-up database of many conversations."""
    from evaluation.staff_pages import measure

    with throwaway_database(context.obj) as settings, progress_bar("Measuring") as bar:
        task = bar.add_task("making conversations, then asking", total=1.0)
        speeds = measure(settings, conversations, lambda share: bar.update(task, completed=share))
    table = Table("page", "conversations shown", "p50 ms", "p95 ms", box=None, header_style="bold")
    for each in speeds:
        table.add_row(each.page, str(each.rows), f"{each.p50:.0f}", f"{each.p95:.0f}")
    screen.print(table)


@measures.command("public")
def evaluate_public(
    data: Annotated[Path | None, typer.Option(help="The folder with the public data sets.")] = None,
) -> None:
    """Run the same classifier on public data sets, beside published figures. Takes a few minutes."""
    from evaluation.public import WHERE, measure

    if data is None:
        raise SettingsError(WHERE)
    table = Table(box=None, header_style="bold")
    for heading in ("data", "measure", "ours", "plain SVC", "best published", "Rasa published"):
        table.add_column(heading, justify="left" if heading in ("data", "measure", "best published") else "right")
    with progress_bar("Measuring") as bar:
        task = bar.add_task("", total=None)
        for row in measure(data, lambda name: bar.update(task, description=name)):
            best = f"{row.best[0]:g} ({row.best[1]})" if row.best else ""
            others = ("" if value is None else f"{value:g}" for value in (row.plain, row.rasa))
            plain, rasa = others
            table.add_row(row.data, row.measure, f"{row.ours:.3g}", plain, best, rasa)
    Console(width=max(screen.width, 120)).print(table)


@encoder.command("train")
def encoder_train(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Of the dice.")] = 0,
    layers: Annotated[int, typer.Option(min=1, max=6, help="Of the teacher's six.")] = 6,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds through the pairs.")] = 7,
    topic_epochs: Annotated[int, typer.Option(min=0, help="Rounds through the messages with topics.")] = 3,
    pairs: Annotated[int | None, typer.Option(min=1, help="Learn from only so many pairs.")] = None,
    leave_out: Annotated[
        int | None, typer.Option(min=0, max=4, help="Leave this fifth of the messages out, for `evaluate doubt`.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where model, tokenizer and card go.")] = ROOT / "bot/nlu/encoder",
) -> None:
    """Teach the English sentence model Spanish and our topics. Takes an hour or more on two cores.

    Needs PyTorch: `make encoder` makes an environment for it, .venv-encoder, and runs this there. A run that is cut
    off goes on where it was. Afterwards: `make setup`, `musebot evaluate questions`, `musebot evaluate doubt`.
    """
    settings: Settings = context.obj
    try:
        from bot.nlu.encoder.recipe import make_encoder
        from bot.nlu.encoder.training import Recipe
    except ModuleNotFoundError as error:
        raise ModelError(
            f"{error.name} is not installed here: run `make encoder`, which installs and uses it."
        ) from error
    chosen = Recipe(
        seed=seed, layers=layers, epochs=epochs, topic_epochs=topic_epochs, pairs=pairs, leave_out=leave_out
    )
    with progress_bar("Learning") as bar:
        task = bar.add_task("reading", total=1.0)

        def told(share: float, step: str) -> None:
            bar.update(task, completed=share, description=step)

        make_encoder(chosen, settings.nlu_folder, ROOT / "var" / "encoder", out.resolve(), told)
    screen.print(
        f"The sentence model is ready: {out}, {sum(f.stat().st_size for f in out.glob('*.onnx')) / 1e6:.1f} MB"
    )


def _figures(summaries: "dict[str, Summary]") -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("")
    for language, summary in summaries.items():
        table.add_column(f"{language} ({summary.count} in scope, {summary.strange_count} out)", justify="right")
    rows = {
        "right": "right",
        "offered": "asked, and the right one was offered",
        "found": "right, or offered in either way",
        "wrong": "wrong",
        "refused": "in scope, refused",
        "beside": "  of these, offered the right one beside",
        "likeliest": "likeliest topic right",
        "macro_f1": "macro F1",
        "strange_answered": "out of scope, answered",
        "strange_refused": "out of scope, refused",
        "calibration": "expected calibration error",
        "language": "language right (4 words or more)",
    }
    for name, label in rows.items():
        table.add_row(label, *(f"{getattr(summary, name) * 100:.1f} %" for summary in summaries.values()))
    for style in next(iter(summaries.values())).styles:
        shares = (summary.styles.get(style, (0, 0.0)) for summary in summaries.values())
        table.add_row(f"  right, {style}", *(f"{share * 100:.1f} % of {count}" for count, share in shares))
    return table


model = typer.Typer(no_args_is_help=True, help="Make model versions, compare them, put one live, take it back.")
cli.add_typer(model, name="model")


@model.command("train")
def model_train(
    context: typer.Context,
    by: Annotated[str, typer.Option(help="Who wants it.")] = "command line",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    lock: Annotated[int | None, typer.Option(hidden=True)] = None,  # taken by the process that started this one
) -> None:
    """Make a version and measure it, and the live one where that is due. Puts nothing live. Takes some minutes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be cancelled is to be interrupted
    os.nice(10)  # the chat answers on the same cores
    from evaluation.new_version import make_version

    try:
        with progress_bar("New version") as bar:
            task = bar.add_task("reading", total=1.0)
            made = make_version(
                context.obj,
                by,
                note,
                lock,
                lambda share, step, part: bar.update(task, completed=share, description=part or step.replace("_", " ")),
            )
    except KeyboardInterrupt:
        errors.print("Cancelled: nothing was kept.")
        os._exit(1)  # at once: Rasa's threads would train on to the end of what they are at
    screen.print(f"Version {made.id} is kept; nothing is live that was not before.")
    screen.print(f"Next: musebot model compare {made.id}, musebot model live {made.id}")


@model.command("list")
def model_list(context: typer.Context) -> None:
    """List the versions, the newest first, with the first figures of their reports: English, then Spanish.

    Danger is the share that was found; alarms are false ones.
    """
    from bot.versions import Versions

    versions = Versions(context.obj)
    live = versions.live()
    table = Table(box=None, header_style="bold")
    for heading in ("made (UTC)", "", "by", "data", "messages", "right %", "wrong %", "danger %", "alarms", "note"):
        table.add_column(heading)
    kept = versions.all()
    for each in kept if live is None or live in kept else [live, *kept]:
        table.add_row(*_row_of(each, is_live=each == live))
    Console(width=max(screen.width, 150)).print(table)
    if live and live not in kept:
        screen.print(f"{live.id} is in no history yet: `musebot train` or a copy put it there.")


def _row_of(version: "Version", *, is_live: bool) -> list[str]:
    told = [version.headlines[language] for language in LANGUAGES if language in version.headlines]
    return [
        version.id,
        "live" if is_live else "",
        version.by,
        version.data_revision or "unknown",
        " ".join(f"{language} {count}" for language, count in version.messages.items()),
        " ".join(f"{each.right.share * 100:.1f}" for each in told) or "not measured",
        " ".join(f"{each.wrong.share * 100:.1f}" for each in told),
        " ".join(f"{each.found.share * 100:.1f}" for each in told),
        " ".join(str(each.alarms.number) for each in told),
        version.note,
    ]


@model.command("compare")
def model_compare(
    context: typer.Context,
    after: Annotated[str | None, typer.Argument(help="A version; the newest where none is named.")] = None,
    before: Annotated[str | None, typer.Option(help="Beside this version instead of the live one.")] = None,
) -> None:
    """What a version would gain and lose beside the live one: danger first, then the questions."""
    from bot.model_report import compare
    from bot.versions import Versions

    versions = Versions(context.obj)
    live = versions.live()
    before = before or (live.id if live else "")
    after = after or next((each.id for each in versions.all()), "")
    if after == before:
        raise StaffError("live_already", f"{after} is live, and beside itself it neither gains nor loses.")
    told = compare(_report_of(versions, before), _report_of(versions, after))
    screen.print(f"before: {before}\nafter:  {after}")
    if not told.same_measure:
        screen.print(
            "The two were measured with other messages, rules of danger or programs: figures differ for that, too."
        )
    for language in LANGUAGES:
        screen.print(_changes(f"danger, {language}", told.safety[language]))
    for title, sent in (
        ("Dangers lost", told.dangers_lost),
        ("Dangers gained", told.dangers_gained),
        ("New false alarms", told.alarms_new),
        ("False alarms gone", told.alarms_gone),
    ):
        _list_changes(title, sent)
    for language in LANGUAGES:
        screen.print(_changes(f"questions, {language}", told.questions[language]))
    _list_changes("Questions lost", told.questions_lost)
    _list_changes("Questions gained", told.questions_gained)


def _report_of(versions: "Versions", name: str) -> "Report":
    report = versions.report(name)
    if report is None:
        raise StaffError(
            "no_report", f"Model version {name or '(none)'} has no report: `musebot model train` measures what is live."
        )
    return report


def _changes(title: str, figures: "Sequence[Figure]") -> Table:
    table = Table(title=title, box=None, header_style="bold", title_justify="left")
    for heading in ("", "before", "after", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for each in figures:
        parts = (f"{part.number} of {part.of}, {part.share * 100:.1f} %" for part in (each.before, each.after))
        table.add_row(each.name, *parts, {None: "", True: "better", False: "WORSE"}[each.better])
    return table


def _list_changes(title: str, changes: "Sequence[Change[Any]]") -> None:
    screen.print(f"{title}: {len(changes) or 'none'}")
    for each in changes:
        screen.print(f"  {each.after.language}: {each.after.text}\n      {each.before.outcome} -> {each.after.outcome}")


@model.command("live")
def model_live(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A version, as `musebot model list` names it.")],
    by: Annotated[str, typer.Option(help="Who decides so.")] = "command line",
) -> None:
    """Put a version live. What was live is kept; a running server takes the new one up within seconds."""
    from bot.versions import Versions

    Versions(context.obj).put_live(name, by)
    screen.print(f"{name} is live.")


@model.command("back")
def model_back(
    context: typer.Context, by: Annotated[str, typer.Option(help="Who decides so.")] = "command line"
) -> None:
    """Put live again what was live before."""
    from bot.versions import Versions

    screen.print(f"{Versions(context.obj).back(by)} is live again.")


@cli.command()
def serve(context: typer.Context) -> None:
    """Serve the chat page, at http://127.0.0.1:8000 unless HOST and PORT say otherwise; and Telegram, with a token."""
    settings: Settings = context.obj
    import uvicorn

    with listening_at(settings) as address:
        from bot.app import create_app, first_invitation

        app = create_app(settings)
        errors.print(f"Ready at http://{settings.host}:{settings.port}/  (Ctrl+C stops it)")
        if link := first_invitation(settings):
            errors.print(f"Staff: choose the password of the account 'admin', once, at {link}")
        # No access log: addresses and times of people who ask about their health are nobody's business.
        server = uvicorn.Server(
            uvicorn.Config(app, access_log=False, log_config=None, ws="none", timeout_graceful_shutdown=3)
        )
        server.run(sockets=[address])


@contextmanager
def listening_at(settings: Settings) -> Iterator[socket.socket]:
    """The address to serve at, taken before the model is loaded: a port in use is told at once.

    Raises:
        SettingsError: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as address:
        address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            address.bind((settings.host, settings.port))
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "no such address"
            raise SettingsError(
                f"Cannot serve at {settings.host}:{settings.port} ({reason}). "
                "Stop what runs there, or set PORT to another number."
            ) from error
        yield address


telegram = typer.Typer(no_args_is_help=True, help="The Telegram bot.")
cli.add_typer(telegram, name="telegram")


@telegram.command(name="check")
def telegram_check(context: typer.Context) -> None:
    """Say whether token, webhook, menu and clock are in order, and how to mend what is not."""
    from bot.channels.telegram.setup import examine, telegram_application
    from bot.content_reader import read_content

    settings: Settings = context.obj
    if settings.telegram_bot_token is None:
        raise SettingsError("There is no TELEGRAM_BOT_TOKEN in .env. The README tells how to get one from BotFather.")
    content = read_content(settings.content_folder)
    application = telegram_application(settings.telegram_bot_token.get_secret_value(), settings.telegram_api)

    async def told() -> list[tuple[bool, str]]:
        lines = examine(application.bot, content, settings.telegram_webhook, settings.telegram_api)
        return [line async for line in lines]

    lines = asyncio.run(told())
    for well, line in lines:
        screen.print(f"{'ok ' if well else 'NO '} {line}")
    if not all(well for well, _ in lines):
        raise typer.Exit(1)


people = typer.Typer(no_args_is_help=True, help="The accounts of the staff, who work at /staff.")
cli.add_typer(people, name="staff")


def _staff(settings: Settings) -> "Staff":
    from bot.store import migrate, open_database
    from bot.store.staff import Staff

    engine = open_database(settings.database_url)
    migrate(engine)
    return Staff(engine)


def _note(settings: Settings, action: str, login: str, detail: str = "") -> None:
    from bot.store import open_database
    from bot.store.staff import Deeds

    Deeds(open_database(settings.database_url)).note("command line", action, f"staff:{login}", detail)


@people.command("add")
def staff_add(
    context: typer.Context,
    login: Annotated[str, typer.Argument(help="What they log in with, such as ana.ruiz.")],
    name: Annotated[str, typer.Option(help="Their first name, which patients see.", prompt="First name")],
    role: Annotated[str, typer.Option(help="viewer, reviewer, clinician or admin.")] = "viewer",
    lang: Annotated[Language, typer.Option(help="Of the pages, en or es.")] = "es",
) -> None:
    """Make an account, and print the link with which its owner chooses a password."""
    from bot.store.staff import ROLES

    settings: Settings = context.obj
    found = next((each for each in ROLES if each == role), None)
    if found is None:
        raise typer.BadParameter(f"there is no role '{role}', but {', '.join(ROLES)}")
    staff = _staff(settings)
    member = staff.add(login, name, found, lang)
    _note(settings, "add", member.login, member.role)
    _print_invitation(settings, member.login, staff.invite(member.login))


@people.command("invite")
def staff_invite(context: typer.Context, login: Annotated[str, typer.Argument(help="Of the account.")]) -> None:
    """Print a new link with which the owner of an account chooses a password; the old password works until then."""
    token = _staff(context.obj).invite(login)
    _note(context.obj, "invite", login)
    _print_invitation(context.obj, login, token)


def _print_invitation(settings: Settings, login: str, token: str) -> None:
    screen.print(f"Send this to {login}; it works once, within three days: {settings.address}/staff/join/{token}")


@people.command("list")
def staff_list(context: typer.Context) -> None:
    """List the accounts."""
    table = Table("login", "first name", "role", "state", "app", "last seen", box=None, header_style="bold")
    for each in _staff(context.obj).all():
        state = "active" if each.joined else "invited"
        seen = each.seen_at.strftime("%Y-%m-%d %H:%M UTC") if each.seen_at else ""
        table.add_row(
            each.login, each.name, each.role, state if each.active else "disabled", "yes" if each.guarded else "", seen
        )
    screen.print(table)


@people.command("disable")
def staff_disable(context: typer.Context, login: Annotated[str, typer.Argument(help="Of the account.")]) -> None:
    """Disable an account: whoever is logged in with it is out at once. `musebot staff enable` undoes it."""
    _staff(context.obj).change(login, active=False)
    _note(context.obj, "change", login, "disabled")
    screen.print(f"The account '{login}' is disabled.")


@people.command("enable")
def staff_enable(context: typer.Context, login: Annotated[str, typer.Argument(help="Of the account.")]) -> None:
    """Let the owner of a disabled account in again."""
    _staff(context.obj).change(login, active=True)
    _note(context.obj, "change", login, "active")
    screen.print(f"The account '{login}' is active.")


@cli.command()
def say(
    context: typer.Context,
    conversation: Annotated[int, typer.Argument(help="Its number, as the messages to staff name it.")],
    text: Annotated[str, typer.Argument(help="What to write, in the person's language.")],
) -> None:
    """Write to somebody as a person of the clinic. They see it once the web chat is open; in Telegram while we run."""
    from bot.store import migrate, open_database
    from bot.store.transcripts import Transcripts

    if not text.strip():
        raise typer.BadParameter("there is nothing to write")
    settings: Settings = context.obj
    engine = open_database(settings.database_url)
    migrate(engine)
    Transcripts(engine).say(conversation, text.strip())
    screen.print("Written. It is marked as from a person of the clinic.")


@cli.command()
def requests(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="Show this one with its history, such as KRT-4821.")] = None,
    state: Annotated[RequestState | None, typer.Option(help="Note how it stands now.")] = None,
    at: Annotated[
        datetime | None, typer.Option(help="The time that was agreed, in the clinic's time zone: 2026-12-01T15:00.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who says so.")] = "command line",
    every: Annotated[bool, typer.Option("--all", help="List closed and cancelled ones too.")] = False,
) -> None:
    """List the requests for a call, show one, or note what was done about it."""
    from bot.booking import read_draft
    from bot.content_reader import read_content
    from bot.store import migrate, open_database
    from bot.store.outbox import Outbox
    from bot.store.requests import OPEN, Requests

    settings: Settings = context.obj
    zone = ZoneInfo(read_content(settings.content_folder).clinic.zone)
    engine = open_database(settings.database_url)
    migrate(engine)
    book = Requests(engine)
    if state and code:
        agreed = at.replace(tzinfo=zone) if at and at.tzinfo is None else at
        _print_request(book.move(code.upper(), state, by, agreed), zone)
    elif state:
        raise typer.BadParameter("--state needs the code of a request")
    elif code:
        found = book.find(code.upper())
        if found is None:
            raise RequestError(f"There is no request {code.upper()}.")
        _print_request(found, zone)
    else:
        listed = book.all(REQUEST_STATES if every else OPEN)
        table = Table("code", "state", "since", "name", "reach", "language")
        for each in listed:
            draft = read_draft(each.draft)
            since = each.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
            table.add_row(each.code, each.state, since, draft.name, draft.reach, each.language)
        screen.print(table if listed else "No request is open.")
        stuck, why = Outbox(engine).waiting()
        if stuck:
            errors.print(f"{stuck} messages to staff could not be sent yet and are tried again ({why}).")


def _print_request(request: "Request", zone: ZoneInfo) -> None:
    from bot.booking import read_draft

    draft = read_draft(request.draft)
    screen.print(f"{request.code}: {request.state}")
    screen.print(f"{draft.name}, {draft.reach}, {request.language}, for {draft.for_whom}")
    if request.agreed_at:
        screen.print(f"agreed: {request.agreed_at.astimezone(zone):%Y-%m-%d %H:%M}")
    for event, by, moment in request.history:
        screen.print(f"  {moment.astimezone(zone):%Y-%m-%d %H:%M}  {event} ({by})")


@cli.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def rasa(context: typer.Context) -> None:
    """Rasa's own command line in this environment: musebot rasa test nlu, musebot rasa data validate, ..."""
    settings: Settings = context.obj
    lean.refuse_tensorflow(settings.config_file)
    os.chdir(settings.config_file.parent)
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = ["rasa", *_with_our_data(context.args)]
    from rasa.__main__ import main as rasa_main

    rasa_main()


def _with_our_data(arguments: list[str]) -> list[str]:
    """Rasa looks for training data in `data/`; ours is in `nlu_data/`, so say so where the command takes it."""
    match arguments:
        case ["test", "nlu", *rest] if not {"-u", "--nlu"} & set(rest):
            return [*arguments, "--nlu", "nlu_data"]
        case ["train" | "data", *rest] if "--data" not in rest and "nlu" not in rest[:1]:
            return [*arguments, "--data", "nlu_data"]
        case _:
            return arguments


if __name__ == "__main__":
    main()
