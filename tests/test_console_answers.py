"""The answers in the staff's pages: what a clinician approves counts for these very words, and for no others."""

import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from bot.answers import Answers
from bot.app import create_app
from bot.console.answers import STATES
from bot.content import COMPARISON, Content, Review, Wording, revision_of
from bot.content_reader import read_content
from bot.eligibility import Eligibility
from bot.messages import LANGUAGES, Incoming, Language, Memory, Reply, Turn
from bot.settings import ROOT, Settings
from bot.store import migrate, open_database
from bot.store.approvals import Approvals, Wordings
from bot.store.staff import Deeds, Role, Staff
from bot.store.transcripts import Transcripts
from tests.console import Browser, browser, logged_in

TODAY = datetime.now().astimezone().date()
NEXT_YEAR = TODAY + timedelta(days=365)
HOSTILE = '<script>alert("1")</script> & "more" \'of it\''


def day(days: int) -> date:
    return TODAY + timedelta(days=days)


# --- what counts for patients -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A content folder in which nobody has approved anything yet, whatever the clinic has done in ours."""
    folder = tmp_path_factory.mktemp("drafts") / "content"
    shutil.copytree(ROOT / "content", folder)
    for file in (*folder.glob("answers/*.yml"), folder / "eligibility.yml"):
        text = re.sub(r"review:.*(?:\n {4,}.*)*", "review: {state: draft}", file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def draft(drafts: Path) -> Content:
    return read_content(drafts)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(f"sqlite:///{tmp_path / 'answers.db'}")
    migrate(found)
    yield found
    found.dispose()


@pytest.fixture
def approvals(engine: Engine) -> Approvals:
    return Approvals(engine)


def revision(content: Content, key: str) -> str:
    return revision_of(key, content.eligibility if key == COMPARISON else content.answers[key])


def approve_other_words(found: Approvals, content: Content) -> None:
    words = content.answers["walk_again"].model_copy(update={"lead": Wording(en="Yes.", es="Sí.")})
    found.approve("walk_again", revision_of("walk_again", words), "dr", NEXT_YEAR)


def approve_another_topic(found: Approvals, content: Content) -> None:
    found.approve("side_effects", revision(content, "side_effects"), "dr", NEXT_YEAR)


def approve(found: Approvals, content: Content) -> None:
    found.approve("walk_again", revision(content, "walk_again"), "dr", NEXT_YEAR)


def send_back(found: Approvals, content: Content) -> None:
    found.send_back("walk_again", revision(content, "walk_again"), "dr", "No.")


def approve_the_comparison(found: Approvals, content: Content) -> None:
    found.approve(COMPARISON, revision(content, COMPARISON), "dr", NEXT_YEAR)


def approve_under_another_name(found: Approvals, content: Content) -> None:
    found.approve("walk_again", revision(content, "side_effects"), "dr", NEXT_YEAR)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ([], False),
        ([approve], True),
        ([approve_other_words], False),  # an older revision, or one to come
        ([approve_another_topic], False),
        ([approve_under_another_name], False),
        ([approve_the_comparison], False),
        ([approve, send_back], False),
        ([send_back, approve], True),
        ([approve, approve_other_words], True),  # a word was changed, and changed back
    ],
)
def test_nothing_counts_but_the_approval_of_these_very_words(
    draft: Content,
    approvals: Approvals,
    language: Language,
    steps: list[Callable[[Approvals, Content], None]],
    counts: bool,
) -> None:
    for step in steps:
        step(approvals, draft)
    notice = draft.phrases["draft_notice"].of(language)
    withheld = draft.phrases["withheld"].of(language)
    shown = Answers(draft, decided=approvals.review)
    strict = Answers(draft, show_draft_effects=False, decided=approvals.review)
    for reply in (shown.main("walk_again", language), shown.more("walk_again", language)):
        assert reply is not None
        assert reply.notes == (() if counts else (notice,))
    assert strict.is_withheld("walk_again") is not counts
    for reply in (strict.main("walk_again", language), strict.more("walk_again", language)):
        assert reply is not None
        assert (reply.text == withheld) is not counts
        assert (notice in reply.notes) is not counts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("key", "counts"),
    [(COMPARISON, True), ("eligibility", False), ("walk_again", False)],
)
def test_the_comparison_has_an_approval_of_its_own(
    draft: Content, approvals: Approvals, language: Language, key: str, counts: bool
) -> None:
    approvals.approve(key, revision(draft, key), "dr", NEXT_YEAR)
    answers = Answers(draft, show_draft_effects=False, decided=approvals.review)
    comparison = Eligibility(draft, answers.notes, answers.is_unbacked)
    assert comparison.is_withheld() is not counts
    compared = comparison.compare({"injury_level": "C5"}, (), language)
    assert compared is not None
    assert bool(compared.notes) is not counts
    assert compared.revision == revision(draft, COMPARISON)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("days_after_due", "shown"), [(0, "plain"), (1, "overdue"), (90, "overdue"), (91, "withheld")])
def test_an_approval_ages_as_one_in_the_file(
    draft: Content, approvals: Approvals, language: Language, days_after_due: int, shown: str
) -> None:
    approvals.approve("walk_again", revision(draft, "walk_again"), "dr", NEXT_YEAR)
    then = NEXT_YEAR + timedelta(days=days_after_due)
    reply = Answers(draft, today=lambda: then, decided=approvals.review).main("walk_again", language)
    assert (reply.text == draft.phrases["withheld"].of(language)) is (shown == "withheld")
    assert (str(TODAY) in " ".join(reply.notes)) is (shown != "plain")
    assert draft.phrases["draft_notice"].of(language) not in reply.notes


@pytest.mark.parametrize(
    ("filed", "decided", "state"),
    [
        (None, None, "draft"),
        (0, None, "approved"),
        (-9, "sent back", "draft"),
        (0, "sent back", "draft"),  # of two on one day, the staff's pages count
        (1, "sent back", "draft"),  # a day that has not come is a slip
        (None, "sent back", "draft"),
        (None, "approved", "approved"),
        (-9, "approved", "approved"),
    ],
)
def test_the_file_and_the_pages_of_the_staff_go_together(
    draft: Content, approvals: Approvals, filed: int | None, decided: str | None, state: str
) -> None:
    answer = draft.answers["cost"]
    if filed is not None:
        review = Review(state="approved", by="Dr A", on=day(filed), due=NEXT_YEAR, revision=revision(draft, "cost"))
        answer = answer.model_copy(update={"review": review})
    if decided == "sent back":
        approvals.send_back("cost", revision(draft, "cost"), "dr", "No.")
    elif decided:
        approvals.approve("cost", revision(draft, "cost"), "dr", NEXT_YEAR)
    content = replace(draft, answers={**draft.answers, "cost": answer})
    assert Answers(content, decided=approvals.review).review("cost", answer).state == state


def test_an_approval_in_the_file_after_a_sending_back_counts(draft: Content, approvals: Approvals) -> None:
    approvals.send_back("cost", revision(draft, "cost"), "dr", "No.")
    review = Review(state="approved", by="Dr A", on=day(2), due=NEXT_YEAR, revision=revision(draft, "cost"))
    answer = draft.answers["cost"].model_copy(update={"review": review})
    later = Answers(draft, today=lambda: day(3), decided=approvals.review)
    assert later.review("cost", answer) == review


def test_another_process_learns_of_it_when_it_reads_again(draft: Content, engine: Engine) -> None:
    here, there = Approvals(engine), Approvals(engine)
    here.approve("cost", revision(draft, "cost"), "dr", NEXT_YEAR)
    assert there.review(revision(draft, "cost")) is None
    there.read()
    assert there.review(revision(draft, "cost")) == here.review(revision(draft, "cost"))
    there.send_back("cost", revision(draft, "cost"), "dr", "No.")
    here.read()
    found = here.review(revision(draft, "cost"))
    assert found is not None
    assert found.state == "draft"


def test_each_wording_is_counted_with_its_opinions(engine: Engine) -> None:
    transcripts, wordings = Transcripts(engine), Wordings(engine)
    for number, (shown, helpful, reason) in enumerate(
        [
            (["cost@1"], True, None),
            (["cost@1", "hours@1"], False, "wrong"),  # one thumb for both
            (["cost@1"], False, None),
            (["cost@1"], None, None),
            (["cost@2"], False, "wrong"),
            (["costs@1"], True, None),
            (["co_t@1"], True, None),
        ]
    ):
        replies = tuple(Reply("…", revision=each) for each in shown)
        transcripts.record(Incoming("web", "anna", "?", update_id=str(number)), Turn("en", "answer", replies), Memory())
        kept = transcripts.turn("web", str(number))
        assert kept
        if helpful is not None:
            transcripts.rate("web", "anna", kept[0], helpful, reason)
    first = wordings.of("cost")["cost@1"]
    assert (first.times, first.helped, first.not_helped, first.reasons) == (4, 1, 2, {"wrong": 1})
    assert first.first <= first.last <= datetime.now(UTC)
    assert set(wordings.of("cost")) == {"cost@1", "cost@2"}
    assert set(wordings.of("co_t")) == {"co_t@1"}
    assert wordings.of("nothing") == {}
    assert wordings.rated()["cost@1"].times == 3
    assert wordings.rated()["hours@1"].not_helped == 1
    assert wordings.since(datetime.now(UTC) - timedelta(days=30))["cost@1"].times == 4
    assert wordings.since(datetime.now(UTC) + timedelta(days=1)) == {}


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(model_file: Path, drafts: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        model_file=model_file,
        database_url=f"sqlite:///{tmp_path_factory.mktemp('answers') / 'answers.db'}",
        secret_key="k" * 40,
        content_folder=drafts,
        show_draft_effects=False,
    )


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="module")
def store(app: FastAPI, settings: Settings) -> Iterator[Engine]:
    """The database of the app."""
    found = open_database(settings.database_url)
    yield found
    found.dispose()


@pytest.fixture
def enter(app: FastAPI, store: Engine) -> Callable[[Role], Any]:
    """Somebody of a role, logged in; each with a login of their own."""
    number = len(Staff(store).all())
    return lambda role: logged_in(app, store, role, f"{role}-{number}")


@pytest.fixture(scope="module")
def cookies() -> httpx.Cookies:
    """Those of the clinician, once there is one: logging in is slow, as it should be."""
    return httpx.Cookies()


@pytest.fixture
async def clinician(app: FastAPI, enter: Callable[[Role], Any], cookies: httpx.Cookies) -> AsyncIterator[Browser]:
    if not cookies:
        async with enter("clinician") as joined:
            cookies.update(joined.cookies)
    async with browser(app) as found:
        found.cookies.update(cookies)
        found.headers["accept-language"] = "en"
        yield found


async def decide(who: Browser, key: str, deed: str, **fields: Any) -> httpx.Response:
    """Sends the form of the page, as it stands there."""
    page = await who.read(f"/staff/answers/{key}")
    shown = re.search(r'name="revision" value="([^"]+)"', page)
    carried = {"revision": shown[1]} if shown else {}
    due = {"due": str(NEXT_YEAR)} if deed == "approve" else {}
    return await who.submit(f"/staff/answers/{key}/{deed}", **{**carried, **due, **fields})


async def told(app: FastAPI, text: str, language: Language) -> dict[str, Any]:
    """What a patient reads."""
    async with browser(app) as patient:
        token = (await patient.post("/api/session", json={"lang": language})).json()["token"]
        sent = {"id": "message-1", "text": text}
        answer = await patient.post("/api/messages", json=sent, headers={"Authorization": f"Bearer {token}"})
    (reply,) = answer.json()["turns"][0]["replies"]
    return dict(reply)


@pytest.mark.parametrize(("language", "question"), [("en", "will I walk again?"), ("es", "¿volveré a caminar?")])
async def test_an_approval_counts_for_patients_at_once_and_a_sending_back_takes_it_away(
    app: FastAPI, clinician: Browser, draft: Content, language: Language, question: str
) -> None:
    notice, withheld = draft.phrases["draft_notice"].of(language), draft.phrases["withheld"].of(language)
    await decide(clinician, "walk_again", "send-back", note="To begin with.")
    before = await told(app, question, language)
    assert before["text"] == withheld
    assert notice in before["notes"]

    assert (await decide(clinician, "walk_again", "approve")).status_code == 303
    after = await told(app, question, language)
    assert after["text"] == draft.answers["walk_again"].lead.of(language)
    assert after["notes"] == []

    assert (await decide(clinician, "walk_again", "send-back", note="Say it more kindly.")).status_code == 303
    assert await told(app, question, language) == before


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("reviewer", 403), ("clinician", 303), ("admin", 303)])
async def test_who_may_decide(enter: Callable[[Role], Any], store: Engine, role: Role, status: int) -> None:
    async with enter(role) as who:
        before = Approvals(store).read()
        page = await who.read("/staff/answers/hours")
        assert ("/staff/answers/hours/approve" in page) is (status == 303)
        assert ("/staff/answers/hours/send-back" in page) is (status == 303)
        await who.read("/staff/answers")
        found = {"revision": re.findall(r"hours@\w+", page)[0]}
        for deed in ("approve", "send-back"):
            assert (await decide(who, "hours", deed, note="As agreed.", **found)).status_code == status
        assert len(Approvals(store).read()) == len(before) + (2 if status == 303 else 0)


async def test_nobody_decides_without_logging_in_or_with_a_form_of_another_page(
    app: FastAPI, clinician: Browser, store: Engine
) -> None:
    before = Approvals(store).read()
    async with browser(app) as stranger:
        assert (await stranger.get("/staff/answers")).headers["location"] == "/staff/login"
        assert (await stranger.post("/staff/answers/cost/approve")).headers["location"] == "/staff/login"
    assert (await clinician.post("/staff/answers/cost/approve", data={"form_token": "x"})).status_code == 403
    assert Approvals(store).read() == before


@pytest.mark.parametrize(
    ("key", "deed", "fields", "status", "problem"),
    [
        ("cost", "approve", {"revision": "cost@0123456789"}, 409, "have changed since you opened"),
        ("cost", "send-back", {"revision": "cost@0123456789", "note": "No."}, 409, "have changed since you opened"),
        ("cost", "approve", {"revision": "hours@0123456789"}, 409, "have changed since you opened"),
        ("cost", "approve", {"revision": ""}, 400, "cannot be read"),
        ("cost", "approve", {"due": ""}, 400, "give a day after today"),
        ("cost", "approve", {"due": str(TODAY)}, 400, "give a day after today"),
        ("cost", "approve", {"due": str(day(1))}, 303, ""),
        ("cost", "approve", {"due": str(day(3 * 365))}, 303, ""),
        ("cost", "approve", {"due": str(day(3 * 365 + 1))}, 400, "give a day after today"),
        ("cost", "approve", {"due": "soon"}, 400, "cannot be read"),
        ("cost", "send-back", {}, 400, "say what must change"),
        ("cost", "send-back", {"note": "  \n "}, 400, "say what must change"),
        ("cost", "send-back", {"note": "Say since when."}, 303, ""),
        ("cost", "send-back", {"note": "x" * 2_001}, 400, "cannot be read"),
        ("emergency_breathing", "approve", {"revision": "emergency_breathing@0123456789"}, 404, "nothing here"),
        ("nonsense", "approve", {"revision": "nonsense@0123456789"}, 404, "nothing here"),
    ],
)
async def test_a_decision_that_cannot_be_taken_is_refused_with_a_sentence(
    clinician: Browser, store: Engine, key: str, deed: str, fields: dict[str, str], status: int, problem: str
) -> None:
    before = Approvals(store).read()
    page = await clinician.read("/staff/answers/cost")
    carried = {"revision": re.findall(r"cost@\w+", page)[0]}
    due = {"due": str(NEXT_YEAR)} if deed == "approve" else {}
    answer = await clinician.submit(f"/staff/answers/{key}/{deed}", **{**carried, **due, **fields})
    assert answer.status_code == status
    assert problem in answer.text
    assert len(Approvals(store).read()) == len(before) + (status == 303)


async def test_what_was_typed_is_not_lost_when_the_words_have_changed(clinician: Browser) -> None:
    answer = await decide(clinician, "cost", "send-back", note=HOSTILE, revision="cost@0123456789")
    assert answer.status_code == 409
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


async def test_a_decision_is_noted_and_stands_in_the_history_also_of_older_words(
    enter: Callable[[Role], Any], clinician: Browser, store: Engine
) -> None:
    who = re.findall(r"clinician-\d+", await clinician.read("/staff/me"))[0]
    await decide(clinician, "team", "approve", note=HOSTILE)
    await decide(clinician, "team", "send-back", note="Name them.")
    Approvals(store).approve("team", "team@0123456789", who, NEXT_YEAR, "Older words.")
    for page in (await clinician.read("/staff/answers/team"), await clinician.read("/staff/answers")):
        assert "<script>alert" not in page
    page = await clinician.read("/staff/answers/team")
    assert "&lt;script&gt;alert" in page
    assert f"Ana clinician ({who})" in page
    assert page.count("void: the words have changed since") == 1
    deeds = Deeds(store).find(who=who, subject="answer:team")
    assert [deed.action for deed in deeds] == ["send_back", "approve"]
    assert all(re.fullmatch(r"team@\w{10}", deed.detail) for deed in deeds)
    async with enter("admin") as admin:
        audit = await admin.read("/staff/audit?subject=answer:team")
        assert "approved an answer" in audit
        assert "sent an answer back" in audit


def rows(page: str) -> dict[str, str]:
    """The rows of the table, by what they are about."""
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    found = (re.search(r"/staff/answers/(\w+)", row) for row in body.split("<tr>"))
    return {match[1]: re.sub(r"<[^>]+>|\s+", " ", match.string) for match in found if match}


async def test_what_needs_a_review_stands_first(clinician: Browser, draft: Content, store: Engine) -> None:
    approvals = Approvals(store)
    decided: list[tuple[str, int | None, str]] = [
        ("trial_safety", -1, "overdue"),
        ("trial_motor", -400, "overdue"),
        ("trial_sensation", 0, "due soon"),
        ("trial_limits", 30, "due soon"),
        ("trial_participants", 31, "approved"),
        ("trial_overview", None, "sent back"),
        ("evidence_strength", None, "void: the words have changed"),
        ("muse_what", None, "draft"),
    ]
    for key, days, _ in decided:
        if days is not None:
            approvals.approve(key, revision(draft, key), "dr", day(days))
    approvals.send_back("trial_overview", revision(draft, "trial_overview"), "dr", "No.")
    approvals.approve("evidence_strength", "evidence_strength@0123456789", "dr", NEXT_YEAR)
    approvals.approve("muse_what", "muse_what@0123456789", "dr", NEXT_YEAR)
    approvals.send_back("muse_what", "muse_what@0123456789", "dr", "No.")  # and was changed after that
    found = rows(await clinician.read("/staff/answers"))
    assert list(found)[:4] == ["trial_motor", "trial_safety", "trial_sensation", "trial_limits"]
    for key, days, state in decided:
        assert f" {state} " in found[key]
        assert days is None or f"until {day(days)}" in found[key]
        assert (f"dr {TODAY}" in found[key]) is (state != "draft")
    assert set(found) == {*draft.answers, *draft.safety.topics, COMPARISON}
    assert "read only" in found["emergency_breathing"]


@pytest.mark.parametrize(
    ("asked", "among", "not_among"),
    [
        ("state=draft&group=muse", {"muse_what"}, {"cost", "emergency_breathing", COMPARISON}),
        ("group=evidence", {"trial_overview"}, {"muse_what", "cost"}),
        ("text=medellin", {"location"}, {"trial_motor"}),  # without its accent
        ("text=walk+AGAIN", {"walk_again"}, {"location"}),
        ("text=caminar", {"walk_again"}, {"location"}),
        ("text=muse_what", {"muse_what"}, {"location"}),
        ("text=nothingislikethat", set(), {"walk_again"}),
        ("text=%25", set(), {"location"}),
        ("state=guidance", {"emergency_breathing"}, {"cost"}),
        ("state=nonsense", set(), {"cost"}),
        ("group=eligibility", {COMPARISON}, {"eligibility"}),
    ],
)
async def test_answers_are_found(clinician: Browser, asked: str, among: set[str], not_among: set[str]) -> None:
    page = await clinician.read(f"/staff/answers?{asked}")
    found = rows(page)
    assert among <= set(found)
    assert not not_among & set(found)
    assert ("No answer is like that." in page) is (not found)


async def test_answers_are_sorted_by_how_they_are_received(clinician: Browser, draft: Content, store: Engine) -> None:
    transcripts = Transcripts(store)
    for number, (key, helpful) in enumerate([("location", True)] * 5 + [("hours", False)] * 3):
        message = Incoming("web", "eva", "?", update_id=f"sorted-{number}")
        transcripts.record(message, Turn("en", "answer", (Reply("…", revision=revision(draft, key)),)), Memory())
        kept = transcripts.turn("web", f"sorted-{number}")
        assert kept
        transcripts.rate("web", "eva", kept[0], helpful, None if helpful else "unclear")
    shown = rows(await clinician.read("/staff/answers?order=shown"))
    assert list(shown)[:2] == ["location", "hours"]
    assert " 5 " in shown["location"]
    assert next(iter(rows(await clinician.read("/staff/answers?order=not_helped")))) == "hours"
    assert "unclear: 3" in await clinician.read("/staff/answers/hours")
    await clinician.read("/staff/answers?order=nonsense", 400)


@pytest.mark.parametrize("key", ["evidence_strength", "walk_again", "cost", COMPARISON, "emergency_breathing"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_answer_is_read_in_both_languages_with_what_it_rests_on(
    clinician: Browser, draft: Content, drafts: Path, key: str, language: Language
) -> None:
    await clinician.submit("/staff/language", language=language)
    page = await clinician.read(f"/staff/answers/{key}")
    await clinician.submit("/staff/language", language="en")
    assert f'<html lang="{language}">' in page
    text = re.sub(r"\s+", " ", page.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&"))
    entry = draft.safety.topics.get(key) or (draft.eligibility if key == COMPARISON else draft.answers[key])
    claims = getattr(entry, "claims", None) or getattr(entry, "steps", None) or (draft.eligibility.closing,)
    for claim in claims:
        for each in LANGUAGES:
            assert claim.of(each) in text
        for fact in claim.facts:
            assert draft.facts[fact].statement in text
            assert draft.facts[fact].caveat is None or draft.facts[fact].caveat in text
        for source in claim.sources:
            assert draft.sources[source].link in (None, *re.findall(r'href="([^"]+)"', text))
    for wording in filter(None, (getattr(entry, "lead", None), getattr(entry, "told", None))):
        assert all(wording.of(each) in text for each in LANGUAGES)  # also what is said in the other case
    place, line = re.findall(r"content/([\w/]+\.yml):(\d+)", text)[0]
    first = (drafts / place).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert first.strip() == ("lead:" if key == COMPARISON else f"{key}:")


async def test_what_patients_do_not_get_is_shown_to_staff_who_are_told_so(clinician: Browser, draft: Content) -> None:
    for key, withheld in (("evidence_strength", True), ("location", False)):
        page = await clinician.read(f"/staff/answers/{key}")
        assert draft.answers[key].lead.en in page.replace("&#39;", "'")
        assert ("Patients do not get this answer now" in page) is withheld
    await clinician.read("/staff/answers/nonsense", 404)


@pytest.mark.parametrize(
    ("language", "heading", "title"),
    [("en", "Answers", "Will I walk again?"), ("es", "Respuestas", "¿Volveré a caminar?")],
)
async def test_the_table_speaks_both_languages(
    clinician: Browser, language: Language, heading: str, title: str
) -> None:
    await clinician.submit("/staff/language", language=language)
    page = await clinician.read("/staff/answers")
    await clinician.submit("/staff/language", language="en")
    assert f"<h1>{heading}</h1>" in page
    assert title in page
    assert all(f'value="{state}"' in page for state in STATES)
