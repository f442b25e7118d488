"""The pages of the staff in a real browser, against the real server. Screenshots are left in results/console."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from bot.app import create_app
from bot.console.words import Words
from bot.messages import LANGUAGES, Language
from bot.settings import ROOT, Settings
from bot.store import open_database
from bot.store.staff import ROLES, Role, Staff
from tests.console import PASSWORD
from tests.served import Served, check_access, chromium_of_this_machine, free_port

SHOTS = ROOT / "results" / "console"
PAGES = {
    "viewer": ["inbox", "requests", "answers", "answers/walk_again", "overview", "me"],
    "reviewer": ["review", "review/examples", "models"],
    "clinician": [],
    "admin": ["people", "audit"],
}
WORDS = Words()


@pytest.fixture(scope="module")
def served(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("console")
    settings = Settings(model_file=model_file, database_url=f"sqlite:///{folder / 'c.db'}", secret_key="k" * 40)
    found = Served(create_app(settings), free_port(), str(folder / "c.db"))
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def engine(served: Served) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{served.database}")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with chromium_of_this_machine() as browser:
        yield browser


Enter = Callable[..., Page]


@pytest.fixture
def enter(chromium: Browser, served: Served, engine: Engine) -> Iterator[Enter]:
    """Someone of a role who is logged in; what goes wrong in the browser fails the test."""
    wrong: list[str] = []
    contexts = []

    def log_in(role: Role, language: Language = "en", width: int = 1280, login: str = "") -> Page:
        staff, login = Staff(engine), login or f"{role}-{language}"
        if staff.find(login) is None:
            staff.add(login, "Ana", role, language)
            invitation = staff.invite(login)
        else:
            invitation = staff.invite(login)
        context = chromium.new_context(viewport={"width": width, "height": 900}, locale=language)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(f"{served.url}/staff/join/{invitation}")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("[name=again]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(WORDS.of("page.inbox", language))
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert wrong == []


class Patient:
    """Somebody who writes in the web chat."""

    def __init__(self, served: Served, language: Language = "en") -> None:
        self._client = httpx.Client(base_url=served.url, timeout=20)
        self._token = self._client.post("/api/session", json={"lang": language}).json()["token"]
        self._number = 0

    def say(self, text: str) -> str:
        """Writes; what the assistant decided."""
        self._number += 1
        sent = {"id": f"message-{self._number}", "text": text}
        told = self._client.post("/api/messages", json=sent, headers={"Authorization": f"Bearer {self._token}"}).json()
        self._token = told["token"]
        return str(told["turns"][0]["decision"])

    def reads(self) -> list[str]:
        told = self._client.get("/api/turns", headers={"Authorization": f"Bearer {self._token}"}).json()
        return [reply["text"] for turn in told["turns"] for reply in turn["replies"]]


def some_conversations(served: Served) -> None:
    Patient(served, "es").say("¿Volveré a caminar?")
    Patient(served).say('my name is Mary Smith, <b>call</b> me at +57 310 555 1234 "please"')
    Patient(served).say("blorf snizzle gropf")
    Patient(served).say("my father has chest pain and cannot breathe")


@pytest.mark.parametrize(
    ("role", "language", "width"), [("admin", "en", 320), ("admin", "es", 320), ("viewer", "es", 1280)]
)
def test_each_role_finds_its_pages_without_a_barrier(
    enter: Enter, served: Served, role: Role, language: Language, width: int
) -> None:
    some_conversations(served)
    page = enter(role, language, width, f"{role}-{language}-{width}")
    mine = [each for other in ROLES[: ROLES.index(role) + 1] for each in PAGES[other]]
    newest = served.rows("SELECT max(id) FROM conversation")[0][0]
    for path in [*mine, f"conversations/{newest - 1}"]:
        page.goto(f"{served.url}/staff/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        check_access(page, SHOTS / f"{role}-{language}-{width}-{path.replace('/', '-')}.png")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways"
    for path in {each for several in PAGES.values() for each in several} - set(mine):
        assert page.request.get(f"{served.url}/staff/{path}").status == 403


def test_who_needs_a_person_appears_without_a_reload_and_is_taken_by_keyboard(enter: Enter, served: Served) -> None:
    page = enter("reviewer")
    danger = page.locator("#rows .item.danger")
    before = danger.count()
    patient = Patient(served)
    assert patient.say("my father has chest pain and cannot breathe") == "emergency"
    expect(page.locator("#urgent a")).to_be_visible()
    expect(danger).not_to_have_count(before)
    number = served.rows("SELECT max(id) FROM conversation")[0][0]
    page.goto(f"{served.url}/staff/conversations/{number}")
    page.keyboard.press("t")  # I'll take it
    page.keyboard.press("Enter")
    expect(page.locator(".answer textarea")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("r")  # the box to write in
    expect(page.locator(".answer textarea")).to_be_focused()
    page.keyboard.type("Hello, I am with you. <i>Is help there?</i>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".reply.staff p").last).to_have_text("Hello, I am with you. <i>Is help there?</i>")
    assert patient.reads()[-1] == "Hello, I am with you. <i>Is help there?</i>"
    assert patient.say("yes, they are here") == "silent"
    expect(page.locator(".said").last).to_have_text("yes, they are here")  # it came by itself
    check_access(page, SHOTS / "held.png")
    page.locator("h1").click()
    page.keyboard.press("g")  # give back, and only then by Enter: a letter may have been meant for a message
    expect(page.locator(".tag.held")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".tag.held")).to_have_count(0)
    assert patient.say("how much does it cost?") == "answer"


def test_the_list_of_keys_and_how_to_be_without_them(enter: Enter) -> None:
    page = enter("reviewer")
    page.keyboard.press("?")
    expect(page.locator("#keys li kbd").first).to_be_visible()
    check_access(page, SHOTS / "keys.png")
    page.locator('#keys [data-setting="no-keys"]').check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_correction_becomes_a_draft_and_nothing_more(enter: Enter, served: Served) -> None:
    Patient(served).say("is it snake oil, what my neighbour Peter Miller sells?")
    page = enter("reviewer")
    number = served.rows("SELECT max(id) FROM conversation")[0][0]
    page.goto(f"{served.url}/staff/conversations/{number}")
    page.locator(".review [data-key='2']").click()  # wrong topic
    page.locator(".review select[name=topic]").select_option(index=3)
    page.locator(".review form:has(select) button").last.click()
    status = page.locator(".review [role=status]").last
    expect(status).to_contain_text("→")
    page.goto(f"{served.url}/staff/review/examples")
    expect(page.locator("main")).to_contain_text("snake oil")
    assert "Miller" not in page.content()
    check_access(page, SHOTS / "examples.png")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_in_has_no_barrier(chromium: Browser, served: Served, language: Language) -> None:
    page = chromium.new_page(locale=language, viewport={"width": 320, "height": 700})
    page.goto(f"{served.url}/staff")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS.of("access.login", language))
    check_access(page, SHOTS / f"login-{language}.png")
    page.locator("[name=login]").fill("nobody")
    page.locator("[name=password]").fill("a wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check_access(page, SHOTS / f"login-wrong-{language}.png")
    assert re.search(r"/staff/login$", page.url)
    page.close()
