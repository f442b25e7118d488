"""Review: what staff think of what the assistant did, what they look at next, and the training messages of it."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from bot.app import create_app
from bot.console.pages import COOKIE
from bot.content import Content
from bot.errors import ContentError
from bot.messages import Candidate, Incoming, Language, Reply, Turn
from bot.nlu.examples import check_examples, read_examples
from bot.settings import Settings
from bot.store import models, open_database
from bot.store.inbox import Inbox
from bot.store.review_queue import ReviewQueue
from bot.store.reviews import VERDICTS, Reviews, Verdict
from bot.store.staff import Deeds, Role, Staff
from bot.store.transcripts import Transcripts
from bot.teaching import Lesson, Teaching, leaks, patch_of, unseen
from tests.console import Browser, browser

SURE = (("cost", 0.95), ("location", 0.02))
UNSURE = (("cost", 0.5), ("location", 0.45))
LOST = (("out_of_scope", 0.3), ("cost", 0.28))
STRANGE = "would the little fee for the parking elf be on my bill, my good fellows?"  # never taught, never asked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the training messages: reading all takes a second each time."""
    ours, some = Settings().nlu_folder, tmp_path_factory.mktemp("some") / "nlu_data"
    for name in (
        "languages.yml",
        "rules.yml",
        *(f"{lang}/{file}.yml" for lang in ("en", "es") for file in ("clinic", "talk")),
    ):
        (some / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ours / name, some / name)
    return some


@pytest.fixture(scope="module")
def settings(model_file: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('review') / 'review.db'}"
    return Settings(model_file=model_file, nlu_folder=folder, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
def engine(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    """The database of the app, without conversations and accounts of earlier tests."""
    engine = open_database(settings.database_url)
    with engine.begin() as connection:
        connection.execute(delete(models.Conversation))
        connection.execute(delete(models.Staff))
    yield engine
    engine.dispose()


@asynccontextmanager
async def someone(app: FastAPI, engine: Engine, role: Role) -> AsyncIterator[Browser]:
    """Somebody of that role, already logged in: a password takes a while to be checked."""
    staff = Staff(engine)
    async with browser(app) as found:
        found.cookies.set(COOKIE, staff.enter(staff.add(role, f"Ana {role}", role, "en")))
        yield found


@pytest.fixture
async def reviewer(app: FastAPI, engine: Engine) -> AsyncIterator[Browser]:
    async with someone(app, engine, "reviewer") as found:
        yield found


def ask(
    engine: Engine,
    text: str,
    sender: str = "",
    *,
    decision: Any = "answer",
    topics: Sequence[str] | None = None,
    candidates: Sequence[tuple[str, float]] = SURE,
    language: Language = "en",
    button: str | None = None,
    revision: str = "cost@1",
    helpful: bool | None = None,
) -> int:
    """Keeps a turn as the main path does; its number."""
    topics = topics if topics is not None else [candidates[0][0]] if candidates else []
    told = Turn(
        language,
        decision,
        (Reply("Told.", revision=revision),),
        tuple(topics),
        tuple(Candidate(*c) for c in candidates),
    )
    Transcripts(engine).record(Incoming("web", sender or text, text, button), told, None)
    with Session(engine) as session, session.begin():
        turn = session.scalars(select(models.Turn).order_by(models.Turn.id.desc()).limit(1)).one()
        turn.helpful = helpful
        return turn.id


def conversation(engine: Engine, turn: int) -> models.Conversation:
    with Session(engine) as session:
        return session.get_one(models.Turn, turn).conversation


def examples(engine: Engine) -> list[tuple[str | None, str | None, str | None, str | None]]:
    with Session(engine) as session:
        return [(row.topic, row.language, row.example, row.state) for row in session.scalars(select(models.Review))]


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", VERDICTS)
async def test_a_verdict_is_one_click_and_the_same_click_takes_it_back(
    reviewer: Browser, engine: Engine, verdict: Verdict
) -> None:
    turn, reviews = ask(engine, STRANGE), Reviews(engine)
    kept = await reviewer.submit(f"/staff/review/{turn}", verdict=verdict)
    here = conversation(engine, turn)
    assert (kept.status_code, kept.headers["location"]) == (303, f"/staff/conversations/{here.id}#t{turn}")
    assert [(each.by, each.verdict) for each in reviews.of_conversation(here.id)[turn]] == [("reviewer", verdict)]
    assert here.flags == (("unsafe",) if verdict == "unsafe" else ())
    await reviewer.submit(f"/staff/review/{turn}", verdict=verdict)
    assert reviews.of_turn(turn) == ()
    assert conversation(engine, turn).flags == ()
    deeds = Deeds(engine).find(subject=f"conversation:{here.id}")[:2]
    assert {(deed.who, deed.action) for deed in deeds} == {("reviewer", "review")}
    assert deeds[0].detail == f"withdrawn: {verdict}"


async def test_another_verdict_takes_the_place_of_the_first_and_a_note_stays(reviewer: Browser, engine: Engine) -> None:
    turn, reviews = ask(engine, STRANGE), Reviews(engine)
    await reviewer.submit(f"/staff/review/{turn}", verdict="unsafe")
    await reviewer.submit(f"/staff/review/{turn}", keep="unsafe", note=" see <b>there</b> ")
    await reviewer.submit(f"/staff/review/{turn}", verdict="missing")
    (opinion,) = reviews.of_turn(turn)
    assert (opinion.verdict, opinion.note, opinion.is_whole) == ("missing", "see <b>there</b>", True)
    assert conversation(engine, turn).flags == ()
    reviews.judge([turn], "clara", "right")
    assert [each.by for each in reviews.of_turn(turn)] == ["reviewer", "clara"], "one opinion each"


async def test_with_htmx_only_the_fragment_comes_back(reviewer: Browser, engine: Engine) -> None:
    turn = ask(engine, STRANGE, topics=["cost"], candidates=UNSURE)
    told = await reviewer.submit(f"/staff/review/{turn}", verdict="right")
    token = re.search(r'name="form_token" value="([^"]+)"', await reviewer.read("/staff/me"))
    assert token
    headers = {"HX-Request": "true", "X-Form-Token": token[1]}
    told = await reviewer.post(f"/staff/review/{turn}", data={"verdict": "wrong_topic"}, headers=headers)
    assert told.status_code == 200
    assert "<html" not in told.text
    assert f'id="r{turn}"' in told.text
    assert re.findall(r'data-key="(\d)"', told.text) == list("123456")
    assert re.search(r'value="wrong_topic" data-key="2" class="primary" aria-pressed="true"', told.text)
    assert 'name="topic" value="location"' in told.text, "the runner-up is one click away"
    assert '<option value="hours">When is the clinic open?</option>' in told.text
    assert '<option value="cost">' not in told.text, "what it was taken for is not the right one"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("reviewer", 200), ("clinician", 200), ("admin", 200)])
async def test_who_may_review(app: FastAPI, engine: Engine, role: Role, status: int) -> None:
    turn = ask(engine, STRANGE)
    async with someone(app, engine, role) as member:
        await member.read("/staff/review", status)
        await member.read("/staff/review/examples", status)
        judged = await member.submit(f"/staff/review/{turn}", verdict="right")
        assert judged.status_code == (303 if status == 200 else 403)
        assert len(Reviews(engine).of_turn(turn)) == (status == 200)
        written = await member.submit("/staff/review/examples/write")
        assert written.status_code == (400 if role == "admin" else 403)


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("{turn}", {"verdict": "splendid"}, 400),
        ("{turn}", {}, 400),
        ("{turn}", {"keep": "wrong_topic", "topic": "no_such_topic"}, 400),
        ("{turn}", {"verdict": "right", "together": "1;2"}, 400),
        ("{turn}", {"verdict": "right", "together": "1,2"}, 303),  # those are gone: no matter
        ("{turn}/done", {"note": "  "}, 400),
        ("12", {"verdict": "right"}, 404),
        ("99999999999999999999", {"verdict": "right"}, 400),
        ("examples/12", {"action": "accept"}, 400),
    ],
)
async def test_what_no_form_of_ours_sends(
    reviewer: Browser, engine: Engine, path: str, fields: dict[str, str], status: int
) -> None:
    turn = ask(engine, STRANGE)
    sent = await reviewer.submit(f"/staff/review/{path.format(turn=turn)}", **fields)
    assert sent.status_code == status


async def test_without_our_token_nothing_is_kept(reviewer: Browser, engine: Engine) -> None:
    turn = ask(engine, STRANGE)
    assert (await reviewer.post(f"/staff/review/{turn}", data={"verdict": "right"})).status_code == 403
    assert Reviews(engine).of_turn(turn) == ()


# --- training messages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "fields", "expected"),
    [
        (STRANGE, "en", {"keep": "wrong_topic", "topic": "hours"}, ("hours", "en", STRANGE, "draft")),
        (STRANGE, "en", {"verdict": "wrong_topic"}, (None, None, None, None)),
        (STRANGE, "en", {"verdict": "dont_know"}, ("out_of_scope", "en", STRANGE, "draft")),
        (STRANGE, "en", {"verdict": "missing"}, (None, None, None, None)),
        (  # what the model knows already
            "friends, in the end, how much money would the whole thing cost us",
            "en",
            {"keep": "wrong_topic", "topic": "cost"},
            ("cost", None, None, "known"),
        ),
        (  # the same, for something else
            "friends, in the end, how much money would the whole thing cost us",
            "en",
            {"keep": "wrong_topic", "topic": "hours"},
            ("hours", "en", "friends, in the end, how much money would the whole thing cost us", "draft"),
        ),
        (
            "buenas, me llamo Ana Ruiz, mi celular es 300 123 4567\ny el duende del parqueadero qué come",
            "es",
            {"keep": "wrong_topic", "topic": "hours"},
            (
                "hours",
                "es",
                "buenas, me llamo [nombre], mi celular es [teléfono] y el duende del parqueadero qué come",
                "draft",
            ),
        ),
    ],
)
async def test_what_a_correction_teaches(
    reviewer: Browser, engine: Engine, text: str, language: Language, fields: dict[str, str], expected: tuple[Any, ...]
) -> None:
    turn = ask(engine, text, language=language)
    await reviewer.submit(f"/staff/review/{turn}", **fields)
    assert examples(engine) == [expected]


async def test_what_is_learnt_from_already_and_what_the_evaluation_asks_is_no_training_message(
    reviewer: Browser, engine: Engine, folder: Path
) -> None:
    learnt = next(each for each in read_examples(folder) if each.topic == "hours" and each.language == "en")
    asked = next(text for text in unseen()[0] if len(text.split()) > 6 and "[" not in text)
    words = [*asked.upper().split()[1:], asked.upper().split()[0], "PLEASE"]
    for text, topic, state in ((f"please, {learnt.text}!", "travel", "there"), (" ".join(words), "hours", "held_out")):
        turn = ask(engine, text)
        await reviewer.submit(f"/staff/review/{turn}", keep="wrong_topic", topic=topic)
        (opinion,) = Reviews(engine).of_turn(turn)
        assert (opinion.topic, opinion.state) == (topic, state)
        with Session(engine) as session:
            assert session.scalar(select(models.Review.example).where(models.Review.turn_id == turn)) is None


async def test_one_message_is_proposed_once(reviewer: Browser, engine: Engine) -> None:
    first, second = ask(engine, STRANGE, "a"), ask(engine, f"{STRANGE} please", "b")
    for turn in (first, second):
        await reviewer.submit(f"/staff/review/{turn}", keep="wrong_topic", topic="hours")
    assert [state for *_, state in examples(engine)] == ["draft", "there"]
    await reviewer.submit(f"/staff/review/{first}", keep="wrong_topic", topic="hours", note="a note only")
    await reviewer.submit(f"/staff/review/{first}", keep="wrong_topic", topic="travel")
    assert examples(engine)[0] == ("travel", "en", STRANGE, "draft"), "its own draft is not in its way"


async def test_a_name_told_in_a_request_is_hidden_however_it_is_typed(reviewer: Browser, engine: Engine) -> None:
    turn = ask(engine, "tell zenobia grumbel the elf came, on her parking bill", "z")
    with Session(engine) as session, session.begin():
        here = session.get_one(models.Turn, turn).conversation
        here.dialogue = {"slots": {"booking": {"name": "Zenobia Grumbel"}}}
    assert "zenobia" not in await reviewer.read("/staff/review")
    await reviewer.submit(f"/staff/review/{turn}", keep="wrong_topic", topic="hours")
    assert examples(engine)[0][2] == "tell [name] the elf came, on her parking bill"


async def drafted(member: Browser, engine: Engine, text: str, language: Language, topic: str = "hours") -> int:
    turn = ask(engine, text, language=language)
    await member.submit(f"/staff/review/{turn}", keep="wrong_topic", topic=topic)
    return Reviews(engine).of_turn(turn)[0].id


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"text": "el duende come pan", "language": "es", "english": "the elf eats bread"}, ""),
        ({"text": "the elf eats bread", "language": "en"}, ""),
        ({"text": "el duende come pan", "language": "es"}, "needs its English"),
        ({"text": "me llamo Ana Ruiz y qué", "language": "es", "english": "so what"}, "square brackets"),
        ({"text": "el duende [come](pan)", "language": "es", "english": "the elf eats"}, "square brackets"),
        ({"text": " \x7f\u2028 ", "language": "en"}, "The message is empty"),
        ({"text": "friends, how much money would all of it cost us in the end", "language": "en"}, ""),
    ],
)
async def test_what_can_be_accepted(reviewer: Browser, engine: Engine, fields: dict[str, str], problem: str) -> None:
    number = await drafted(reviewer, engine, "y el duende qué come", "es")
    told = await reviewer.submit(f"/staff/review/examples/{number}", action="accept", **fields)
    assert told.status_code == (400 if problem else 303)
    assert problem in told.text
    assert (f'href="#e{number}"' in told.text) == bool(problem)
    found = Reviews(engine).correction(number)
    assert found is not None
    assert found.state == ("draft" if problem else "accepted")
    if fields["text"].strip() and not problem:
        assert (found.text, found.language, found.english) == (
            fields["text"],
            fields["language"],
            fields.get("english", ""),
        )
    if problem:
        assert "Ruiz" not in found.text, "what is typed here is redacted, too"


async def test_what_the_model_knows_by_now_is_not_accepted(reviewer: Browser, engine: Engine) -> None:
    number = await drafted(reviewer, engine, "ahoy, elves of the lot", "en", "cost")
    text = "friends, in the end, how much money would the whole thing cost us"
    told = await reviewer.submit(f"/staff/review/examples/{number}", action="accept", text=text, language="en")
    assert "teaches nothing new" in told.text


async def test_a_draft_is_dismissed_and_taken_up_again(reviewer: Browser, engine: Engine) -> None:
    number = await drafted(reviewer, engine, STRANGE, "en")
    await reviewer.submit(f"/staff/review/examples/{number}", action="dismiss", text="x", language="en")
    assert "parking elf" not in await reviewer.read("/staff/review/examples")
    assert "parking elf" in await reviewer.read("/staff/review/examples?state=dismissed")
    await reviewer.submit(f"/staff/review/examples/{number}", action="reopen")
    assert Reviews(engine).count() == {"draft": 1, "accepted": 0, "exported": 0, "dismissed": 0}


LESSONS = [
    ('y el duende del "parqueadero" qué\\come', "es", "hours", "and what does the parking elf eat"),
    (STRANGE, "en", "travel", None),
    ("ahoy, elves of the <b>lot</b> & moon", "en", "greet", None),
]


async def accepted(member: Browser, engine: Engine) -> None:
    for text, language, topic, english in LESSONS:
        number = await drafted(member, engine, text, language, topic)  # type: ignore[arg-type]  # of the table
        told = await member.submit(
            f"/staff/review/examples/{number}", action="accept", text=text, language=language, english=english or ""
        )
        assert told.status_code == 303, told.text


def git_apply(patch: bytes, place: Path) -> None:
    for check in (["--check"], []):
        subprocess.run(["git", "apply", *check, "-"], input=patch, cwd=place, check=True)


def files_in(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_accepted_messages_are_a_patch_that_git_applies(
    reviewer: Browser, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    await accepted(reviewer, engine)
    patch = await reviewer.get("/staff/review/examples/patch")
    assert patch.status_code == 200
    assert patch.headers["content-disposition"] == 'attachment; filename="musebot-examples.patch"'
    copy = Path(shutil.copytree(folder, tmp_path / "nlu_data"))
    git_apply(patch.content, tmp_path)
    added = set(read_examples(copy)) - set(read_examples(folder))
    assert {(e.text, e.language, e.topic, e.translation) for e in added} == set(LESSONS)
    assert Reviews(engine).count()["accepted"] == len(LESSONS), "a download changes nothing"


async def test_an_admin_puts_them_into_the_training_data_and_the_check_stays_clean(
    app: FastAPI, engine: Engine, folder: Path, content: Content
) -> None:
    before = files_in(folder)
    async with someone(app, engine, "admin") as admin:
        await accepted(admin, engine)
        written = await admin.submit("/staff/review/examples/write")
        assert written.headers["location"] == "/staff/review/examples?state=exported"
        assert "/staff/models" in await admin.read("/staff/review/examples?state=exported")
    after = read_examples(folder)
    told = [(e.text, e.language, e.topic, e.translation) for e in after]
    assert all(told.count(lesson) == 1 for lesson in LESSONS)  # type: ignore[arg-type]  # of the table
    assert [*check_examples(after, content.topics, content.topics), *leaks(after)] == []
    assert Reviews(engine).count() == {"draft": 0, "accepted": 0, "exported": len(LESSONS), "dismissed": 0}
    deed = Deeds(engine).find(subject="nlu_data")[0]
    assert (deed.who, deed.action, deed.detail) == ("admin", "teach", "3 messages: greet, hours, travel")
    assert files_in(folder).keys() == before.keys()
    for file, text in before.items():
        file.write_bytes(text)


async def test_what_the_check_refuses_is_written_nowhere(app: FastAPI, engine: Engine, folder: Path) -> None:
    async with someone(app, engine, "admin") as admin:
        await accepted(admin, engine)
        with Session(engine) as session, session.begin():  # as if the evaluation had come to ask it meanwhile
            row = session.scalars(select(models.Review).where(models.Review.topic == "travel")).one()
            row.example = next(text for text in unseen()[0] if len(text.split()) > 6)
        before = files_in(folder)
        told = await admin.submit("/staff/review/examples/write")
        assert told.status_code == 400
        assert "is in the evaluation too" in told.text
        assert (await admin.get("/staff/review/examples/patch")).status_code == 400
    assert files_in(folder) == before
    assert Reviews(engine).count()["accepted"] == len(LESSONS)


def test_all_files_are_written_or_none(folder: Path, tmp_path: Path, content: Content) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "nlu_data"))
    teaching = Teaching(copy, content.topics)
    changes = teaching.changes([Lesson("hours", "en", STRANGE), Lesson("greet", "en", "ahoy, elves of the lot")])
    assert [change.name for change in changes] == ["en/clinic.yml", "en/talk.yml"]
    (copy / "en" / "talk.yml").write_text("# somebody is here\n" + changes[1].before, encoding="utf-8")
    with pytest.raises(ContentError, match="changed meanwhile"):
        teaching.write(changes)
    assert (copy / "en" / "clinic.yml").read_text(encoding="utf-8") == changes[0].before
    assert list(copy.rglob("*.new")) == []
    assert patch_of([]) == ""


# --- the queue --------------------------------------------------------------------------------------------------------


def queue_of(engine: Engine) -> list[str]:
    """The texts of the groups, the first one first."""
    return [group.message.text for group in ReviewQueue(engine).next()[0]]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"candidates": UNSURE}, {"candidates": SURE}),
        ({"candidates": LOST, "topics": (), "decision": "fallback"}, {"candidates": UNSURE}),
        ({"candidates": LOST, "topics": (), "decision": "clarify"}, {"candidates": UNSURE}),
        ({"candidates": SURE, "helpful": False}, {"candidates": UNSURE}),
        ({"candidates": UNSURE, "times": 3}, {"candidates": UNSURE}),
        ({"candidates": SURE, "times": 3}, {"candidates": SURE}),
        ({"candidates": UNSURE}, {"candidates": SURE, "times": 5}),
        ({"candidates": SURE, "revision": "in_case@1"}, {"candidates": UNSURE}),  # only one net saw danger
        (
            {"candidates": (), "topics": ["crisis_suicide"], "decision": "emergency"},
            {"candidates": LOST, "helpful": False},
        ),
        (
            {"candidates": SURE, "verdict": "unsafe"},
            {"candidates": (), "topics": ["crisis_suicide"], "decision": "emergency"},
        ),
        ({"candidates": SURE, "verdict": "wrong_topic"}, {"candidates": UNSURE}),  # not said which is right
    ],
)
def test_what_teaches_most_comes_first(engine: Engine, first: dict[str, Any], then: dict[str, Any]) -> None:
    for text, given in (("first", first), ("then", then)):  # of two alike, the newer one would come first
        how = {name: value for name, value in given.items() if name not in ("times", "verdict")}
        for number in range(given.get("times", 1)):
            turn = ask(engine, text, f"{text} {number}", **how)
        if "verdict" in given:
            Reviews(engine).judge([turn], "ana", given["verdict"])
    assert queue_of(engine) == ["first", "then"]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("cost", {"button": "/cost"}),
        ("2", {"candidates": [("cost", 1.0)]}),  # typed, in place of a button
        ("yes", {"topics": ["affirm"], "candidates": [("affirm", 0.9), ("deny", 0.1)]}),
        ("Ana Ruiz", {"topics": ["book"], "decision": "action", "candidates": LOST, "revision": "steps.reach@1"}),
        ("no", {"topics": ["crisis_suicide"], "decision": "emergency", "candidates": (), "before": "emergency"}),
        ("", {"decision": "fallback", "topics": (), "candidates": ()}),
        ("I am here", {"decision": "staff", "topics": (), "candidates": ()}),
        ("said to a person", {"decision": "silent", "topics": (), "candidates": ()}),
    ],
)
def test_where_nothing_had_to_be_understood_there_is_nothing_to_review(
    engine: Engine, text: str, how: dict[str, Any]
) -> None:
    how = dict(how)
    if how.pop("before", "form") == "form":
        ask(engine, "I want an appointment", "a", topics=["book"], decision="action", revision="steps.name@1")
    else:
        ask(engine, "I want an appointment", "a", topics=["crisis_suicide"], decision="emergency", candidates=())
    ask(engine, text, "a", **how)
    assert queue_of(engine) == ["I want an appointment"]


def test_a_question_in_the_middle_of_a_request_is_in_the_queue(engine: Engine) -> None:
    ask(engine, "I want an appointment", "a", topics=["book"], decision="action", revision="steps.name@1")
    ask(engine, "what does it cost?", "a")
    assert sorted(queue_of(engine)) == ["I want an appointment", "what does it cost?"]


def test_messages_that_are_the_same_are_one_group_unless_the_assistant_took_them_differently(engine: Engine) -> None:
    same = ["What does it COST?", "what does cost, please", "it cost what does"]
    turns = [ask(engine, text, text) for text in same]
    other = ask(engine, same[0], "other", topics=(), decision="clarify", candidates=LOST)
    ask(engine, "what does it not cost?", "more")
    groups, number = ReviewQueue(engine).next()
    assert number == 3
    assert {group.turns for group in groups} >= {tuple(reversed(turns)), (other,)}
    assert next(group for group in groups if group.turns == (other,)).reasons == ("asked_back",)
    assert next(group for group in groups if len(group.turns) == 3).reasons == ("frequent",)


async def test_a_verdict_reaches_every_message_of_the_group_and_takes_the_group_away(
    reviewer: Browser, engine: Engine
) -> None:
    turns = [ask(engine, text, text) for text in (STRANGE, f"{STRANGE}!!", f"please {STRANGE}")]
    page = await reviewer.read("/staff/review")
    together = re.search(r'name="together" value="([\d,]+)"', page)
    assert together
    assert together[1].split(",") == [str(turn) for turn in reversed(turns)]
    assert all(f"/staff/conversations/{conversation(engine, turn).id}#t{turn}" in page for turn in turns)
    sent = {"keep": "wrong_topic", "topic": "hours", "together": together[1]}
    told = await reviewer.submit(f"/staff/review/{turns[2]}", **sent)
    assert told.headers["location"] == f"/staff/review?turn={turns[2]}#t{turns[2]}"
    reviews = Reviews(engine)
    assert [[each.topic for each in reviews.of_turn(turn)] for turn in turns] == [["hours"]] * 3
    assert [state for *_, state in examples(engine) if state] == ["draft"], "one is enough to learn from"
    assert queue_of(engine) == []
    page = await reviewer.read(told.headers["location"])
    assert f'value="{together[1]}"' in page, "the verdict can still be changed, for all of them"
    await reviewer.submit(f"/staff/review/{turns[2]}", verdict="wrong_topic", together=together[1])
    assert examples(engine) == []


def test_what_was_judged_is_not_asked_again_unless_it_goes_wrong(engine: Engine) -> None:
    Reviews(engine).judge([ask(engine, "how much?", "a")], "ana", "right")
    ask(engine, "HOW MUCH", "b")
    assert queue_of(engine) == []
    ask(engine, "how much!", "c", helpful=False)
    assert queue_of(engine) == ["how much!"]


@pytest.mark.parametrize(
    ("verdicts", "reasons"),
    [
        (["right"], None),
        (["right", "right"], None),
        (["right", "needs_work"], ("contested",)),
        (["right", "needs_work", "right"], None),
        (["wrong_topic"], ("unfinished",)),
        (["missing"], ("unfinished",)),
        (["wrong_topic", "right"], None),
        (["unsafe", "right"], ("unsafe",)),
    ],
)
def test_staff_who_do_not_agree_and_what_is_not_finished(
    engine: Engine, verdicts: list[Verdict], reasons: tuple[str, ...] | None
) -> None:
    turn = ask(engine, STRANGE)
    for number, verdict in enumerate(verdicts):
        Reviews(engine).judge([turn], f"member {number}", verdict)
    assert [group.reasons for group in ReviewQueue(engine).next()[0]] == ([reasons] if reasons else [])


async def test_something_unsafe_stays_on_top_until_somebody_notes_what_was_done(
    reviewer: Browser, engine: Engine
) -> None:
    turn = ask(engine, "is this old?", "a")
    with Session(engine) as session, session.begin():  # older than what the queue looks at
        row = session.get_one(models.Turn, turn)
        session.expunge(row)
        session.execute(delete(models.Turn))
        values = {column.key: getattr(row, column.key) for column in models.Turn.__table__.columns}
        session.add(models.Turn(**{**values, "id": 1_000_000}))
    ask(engine, "help", "b", decision="emergency", topics=["emergency_other"], candidates=())
    await reviewer.submit("/staff/review/1000000", verdict="unsafe")
    assert queue_of(engine) == ["is this old?", "help"]
    await reviewer.submit("/staff/review/1000000/done", note="Called & told <them>.", together="1000000")
    assert queue_of(engine) == ["help"]
    here = conversation(engine, 1_000_000)
    whole = Inbox(engine).whole(here.id)
    assert whole
    assert [(note.by, note.text) for note in whole.notes] == [("reviewer", "Called & told <them>.")]
    assert here.flags == ("unsafe",), "the flag stays until the conversation is closed"


def test_the_queue_knows_which_net_saw_danger(engine: Engine) -> None:
    danger = [("crisis_suicide", 0.2), ("support", 0.7)]
    ask(engine, "only the model", "a", decision="emergency", topics=["crisis_suicide"], candidates=danger)
    ask(engine, "the rules", "b", decision="emergency", topics=["crisis_suicide"], candidates=())
    told = {group.message.text: group.reasons for group in ReviewQueue(engine).next()[0]}
    assert told == {"only the model": ("emergency", "nets_differ"), "the rules": ("emergency",)}


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words", "empty"),
    [
        ("en", ["Wrong topic", "How much does it cost?", "two topics are almost as likely"], "Nothing is waiting"),
        ("es", ["Tema equivocado", "¿Cuánto cuesta?", "dos temas son casi igual"], "No hay nada por revisar"),
    ],
)
async def test_the_pages_speak_both_languages(
    reviewer: Browser, engine: Engine, language: Language, words: list[str], empty: str
) -> None:
    Staff(engine).speak("reviewer", language)
    assert empty in await reviewer.read("/staff/review")
    turn = ask(engine, STRANGE, candidates=UNSURE)
    page = await reviewer.read("/staff/review")
    assert [word for word in words if word not in page] == []
    for path in ("examples", "examples?state=accepted", "examples?state=exported", f"?turn={turn}"):
        assert f'<html lang="{language}">' in await reviewer.read(f"/staff/review/{path}".replace("/?", "?"))


async def test_what_people_and_staff_write_is_shown_as_text(reviewer: Browser, engine: Engine) -> None:
    evil = '<script>alert(1)</script> "elf" \' onload=x'
    turn = ask(engine, evil, candidates=UNSURE)
    await reviewer.submit(f"/staff/review/{turn}", keep="missing", note=evil)
    await reviewer.submit(f"/staff/review/{turn}", keep="wrong_topic", topic="hours", note=evil)
    Reviews(engine).judge([turn], "clara", "missing", note=evil)
    paths = (f"?turn={turn}", "/examples")
    pages = [await reviewer.read(f"/staff/review{path}") for path in paths]
    pages.append(await reviewer.read(f"/staff/conversations/{conversation(engine, turn).id}"))
    for page in pages:
        assert "<script>alert" not in page
        assert '"elf"' not in page
    assert all("&lt;script&gt;alert(1)" in page for page in pages)


async def test_with_a_conversation_its_reviews_and_training_messages_are_deleted(
    reviewer: Browser, engine: Engine
) -> None:
    turn = ask(engine, STRANGE, "gone")
    await reviewer.submit(f"/staff/review/{turn}", keep="wrong_topic", topic="hours")
    assert len(examples(engine)) == 1
    Transcripts(engine).delete("web", "gone")
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(models.Review)) == 0
    assert "parking elf" not in await reviewer.read("/staff/review/examples")


def test_no_sentence_of_the_evaluation_stands_here() -> None:
    ours = Path(__file__).read_text(encoding="utf-8")
    assert [text for text in unseen()[0] if json.dumps(text)[1:-1] in ours and len(text.split()) > 3] == []
