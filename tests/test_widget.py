"""The chat on web pages, in a real browser against the real server. Screenshots are left in results/widget."""

import contextlib
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.app import create_app
from bot.channels.web import api
from bot.channels.web.embed import BUNDLE
from bot.errors import RequestError
from bot.messages import LANGUAGES, Language
from bot.settings import ROOT, Settings
from tests.served import Served, chromium_of_this_machine, free_port
from tests.served import check_access as check_whole

MOST_BYTES = 15_000  # of the widget with its words, as it travels
SHOTS = ROOT / "results" / "widget"
WORDS: dict[Language, dict[str, str]] = {
    "en": {"ask": "Ask a question", "message": "Your message", "send": "Send", "close": "Close", "options": "Options"},
    "es": {
        "ask": "Haga una pregunta",
        "message": "Su mensaje",
        "send": "Enviar",
        "close": "Cerrar",
        "options": "Opciones",
    },
}


@dataclass
class Site:
    """Another web site, such as the clinic's: pages with headers of their own."""

    url: str = ""
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = found.pages.get(self.path, ("", {}))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None: ...

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{http.server_port}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield found
    http.shutdown()


@pytest.fixture(scope="module")
def served(model_file: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    assert BUNDLE.is_file(), "the widget is not built: run make setup, which needs Node.js"
    database = tmp_path_factory.mktemp("widget") / "widget.db"
    settings = Settings(
        model_file=model_file,
        database_url=f"sqlite:///{database}",
        secret_key="k" * 40,
        web_origins=(site.url,),
    )
    found = Served(create_app(settings), free_port(), str(database))
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with chromium_of_this_machine() as browser:
        yield browser


Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: Browser, served: Served) -> Iterator[Opens]:
    """Opens a page in a browser of its own; what goes wrong in it fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(
        path: str = "/?lang=en", *, quiet: bool = False, context: BrowserContext | None = None, **more: Any
    ) -> Page:
        wanted = {"viewport": {"width": 1000, "height": 800}, "locale": "en-US", "reduced_motion": "reduce", **more}
        context = context or chromium.new_context(**wanted)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        if not quiet:
            page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(served.url + path if path.startswith("/") else path)
        return page

    yield open_page
    for context in contexts:
        with contextlib.suppress(Exception):
            context.close()
    assert wrong == []


def ask(page: Page, text: str, language: Language = "en") -> None:
    """Opens the chat if need be, sends a message, and waits until it is answered."""
    words = WORDS[language]
    launcher = page.get_by_role("button", name=words["ask"])
    if launcher.is_visible():
        launcher.click()
    before = turns(page)
    page.locator("#message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-turn]")).to_have_count(before + 1)


def turns(page: Page) -> int:
    return page.locator(".turn[data-turn]").count()


def last(page: Page) -> Any:
    return page.locator(".turn").last


def check_access(page: Page, name: str, only: str | None = "muse-chat") -> None:
    check_whole(page, SHOTS / f"{name}.png", only)


def check_targets(page: Page) -> None:
    """Everything that can be pressed is 48 pixels high and wide."""
    small = page.evaluate(
        """() => [...document.querySelector('muse-chat').shadowRoot.querySelectorAll('button, a, textarea, input')]
        .filter((each) => each.getClientRects().length)
        .map((each) => [each.textContent, each.getBoundingClientRect().width, each.getBoundingClientRect().height])
        .filter(([, width, height]) => width < 47.9 || height < 47.9)"""
    )
    assert small == []


# --- on a page --------------------------------------------------------------------------------------------------------

STRICT = "default-src 'none'; script-src {0}; connect-src {0}; style-src 'none'; img-src 'none'; base-uri 'none'"


def test_one_line_on_a_page_with_a_strict_policy_is_enough(opens: Opens, served: Served, site: Site) -> None:
    settings = 'data-lang="es" data-color="#7a1f5c" data-position="left"'
    line = f'<script type="module" src="{served.url}/widget.js" {settings}></script>'
    watch = "addEventListener('securitypolicyviolation', (event) => (window.broken = event.violatedDirective))"
    headers = {"Content-Security-Policy": STRICT.format(served.url)}
    site.pages["/"] = (f"<!doctype html><html lang=es><title>C</title><body><h1>Clínica</h1>{line}", headers)
    page = opens("about:blank", quiet=True)
    page.context.add_init_script(watch)
    page.goto(site.url + "/")
    ask(page, "¿cuánto cuesta?", "es")
    expect(last(page)).to_contain_text("No tengo el precio")
    box = page.locator(".panel").bounding_box()
    assert box
    assert box["x"] < 30, "on the left"
    assert page.locator(".send").evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(122, 31, 92)"
    assert page.evaluate("window.broken") is None
    page.screenshot(path=SHOTS / "other-site.png")


def test_the_pages_own_style_and_language_do_no_harm(opens: Opens, served: Served, site: Site) -> None:
    style = "html { font-size: 62.5% } * { color: #333; text-transform: uppercase; letter-spacing: 1em }"
    line = f'<script type="module" src="{served.url}/widget.js" data-color="transparent"></script>'
    for place, lang in (("/styled-es", "es"), ("/styled-en", "en")):
        head = f"<title>C</title><style>{style}</style>"
        site.pages[place] = (f"<!doctype html><html lang={lang} dir=rtl>{head}<body><h1>Clínica</h1>{line}", {})
    page = opens(site.url + "/styled-es", quiet=True, color_scheme="dark")
    expect(page.get_by_role("button", name="Haga una pregunta")).to_be_visible()
    page.goto(site.url + "/styled-en")
    ask(page, "how much does it cost?")
    seen = page.locator(".answer .text").last.evaluate(
        """(each) => { const { color, fontSize, textTransform, direction } = getComputedStyle(each);
        return [color, fontSize, textTransform, direction]; }"""
    )
    assert seen == ["rgb(237, 241, 245)", "17px", "none", "ltr"]
    assert page.locator(".send").evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(11, 85, 103)"
    check_access(page, "styled")
    check_targets(page)


def test_several_elements_and_pages_that_change_by_script_do_no_harm(opens: Opens) -> None:
    page = opens("/inline?lang=en")
    page.locator("muse-chat").evaluate(
        "each => { const parent = each.parentNode; each.remove(); parent.append(each); }"
    )
    page.locator("#message").fill("how much does it cost?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-turn]")).to_have_count(1)
    page.locator("muse-chat").evaluate(
        "each => { const other = document.createElement('muse-chat'); each.after(other); }"
    )
    expect(page.locator("muse-chat").nth(1).get_by_role("button", name="Ask a question")).to_be_visible()


def test_a_site_that_is_not_the_clinics_gets_no_answer(opens: Opens, served: Served, site: Site) -> None:
    line = f'<script type="module" src="{served.url}/widget.js"></script>'
    site.pages["/evil"] = (f"<!doctype html><html lang=en><title>C</title><body>{line}", {})
    page = opens(site.url.replace("127.0.0.1", "localhost") + "/evil", quiet=True)
    page.get_by_role("button", name="Ask a question").click()
    page.locator("#message").fill("how much is it?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It did not get through")
    assert turns(page) == 0


def test_it_is_small_and_depends_on_nobody(served: Served) -> None:
    script = httpx.get(f"{served.url}/widget.js")
    assert len(gzip.compress(script.content, 9)) <= MOST_BYTES
    assert script.headers["access-control-allow-origin"] == "*"
    again = httpx.get(f"{served.url}/widget.js", headers={"if-none-match": script.headers["etag"]})
    assert again.status_code == 304
    for word in ("innerHTML", "eval(", "document.write", "http://", "cdn"):
        assert word not in BUNDLE.read_text(encoding="utf-8").replace("http:\\/\\/", ""), word


def test_the_plain_page_works_where_the_widget_was_not_built(served: Served, tmp_path: Path) -> None:
    from bot.channels.web.embed import widget

    assert widget(served.app.state.api.chat, tmp_path / "none.js") is None
    assert httpx.get(f"{served.url}/chat").status_code == 200


# --- a conversation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_can_be_used_by_everybody(opens: Opens, language: Language) -> None:
    words = WORDS[language]
    page = opens(f"/?lang={language}")
    check_access(page, f"{language}-closed", only=None)
    page.get_by_role("button", name=words["ask"]).click()
    check_access(page, f"{language}-open", only=None)
    ask(page, {"en": "will I walk again?", "es": "¿voy a volver a caminar?"}[language], language)
    check_access(page, f"{language}-answer")
    check_targets(page)
    page.get_by_role("button", name={"en": "Source 1", "es": "Fuente 1"}[language]).first.click()
    expect(page.locator(".note").first).to_be_visible()
    check_access(page, f"{language}-source")
    check_targets(page)
    page.get_by_role("button", name={"en": "This did not help", "es": "No me sirvió"}[language]).click()
    check_access(page, f"{language}-why")
    check_targets(page)
    page.get_by_role("button", name=words["options"]).click()
    check_access(page, f"{language}-options")
    check_targets(page)
    page.get_by_role("button", name={"en": "Delete my conversation", "es": "Borrar mi conversación"}[language]).click()
    check_access(page, f"{language}-delete")
    page.keyboard.press("Escape")
    ask(page, {"en": "qwzx vbnm", "es": "qwzx vbnm"}[language], language)
    check_access(page, f"{language}-lost")
    ask(page, {"en": "my dad can't breathe", "es": "mi papá no puede respirar"}[language], language)
    check_access(page, f"{language}-emergency")
    check_targets(page)


def test_pages_of_our_own_can_be_used_by_everybody(opens: Opens) -> None:
    for name, path in [("inline", "/inline?lang=es"), ("plain", "/chat?lang=en"), ("sources", "/sources?lang=es")]:
        page = opens(path)
        page.screenshot(path=SHOTS / f"{name}.png")
        check_access(page, name, only=None)


def test_a_source_opens_in_place_with_title_year_kind_and_link(opens: Opens) -> None:
    page = opens()
    ask(page, "will I walk again?")
    source = page.get_by_role("button", name="Source 1").first
    expect(source).to_have_attribute("aria-expanded", "false")
    source.click()
    expect(source).to_have_attribute("aria-expanded", "true")
    note = page.locator(".note").first
    expect(note).to_contain_text("Safety and feasibility")
    expect(note).to_contain_text("(2024)")
    expect(note.get_by_role("link")).to_have_attribute("href", "https://doi.org/10.1186/s13287-024-03842-w")
    expect(page.locator("[id='" + (source.get_attribute("aria-controls") or "") + "']")).to_be_visible()
    expect(last(page)).to_contain_text("Weakest evidence used here")
    source.click()
    expect(note).to_be_hidden()


def test_danger_is_seen_first_heard_at_once_and_can_be_called_for(opens: Opens) -> None:
    page = opens()
    ask(page, "I can't breathe")
    urgent = page.locator(".urgent")
    expect(urgent).to_be_in_viewport()
    expect(urgent.get_by_role("link").first).to_have_attribute("href", "tel:123")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "assertive")
    ask(page, "it has passed")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")


def test_guidance_in_danger_is_never_out_of_sight(opens: Opens) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.route(
        "**/api/messages", lambda route: route.continue_() if "breathe" in (route.request.post_data or "") else None
    )
    for text in ["I can't breathe", "please hurry", "are you there?"]:
        page.locator("#message").fill(text)
        page.keyboard.press("Enter")
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(page.locator(".turn[data-message]")).to_have_count(2)
    expect(page.locator(".urgent > .text")).to_be_in_viewport()

    page = opens(quiet=True)
    page.get_by_role("button", name="Ask a question").click()
    page.route("**/api/messages", lambda route: (time.sleep(0.5), route.continue_()))
    page.locator("#message").fill("I can't breathe")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".urgent > .text")).to_be_in_viewport()


def test_an_answer_that_takes_long_tells_whom_to_call(opens: Opens) -> None:
    page = opens(quiet=True)
    page.get_by_role("button", name="Ask a question").click()
    page.route("**/api/messages", lambda route: None)  # it hangs
    page.locator("#message").fill("I can't breathe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("call 123 in Colombia", timeout=7_000)


def test_choices_can_be_pressed_or_typed_by_number_and_only_the_newest_stay(opens: Opens) -> None:
    page = opens()
    ask(page, "how much does it cost?")
    first = last(page).locator(".choices button").first.inner_text()
    ask(page, "1")
    second = last(page).inner_text()
    page = opens()
    ask(page, "how much does it cost?")
    page.get_by_role("button", name=first).click()
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    assert second.splitlines()[-3:] == last(page).inner_text().splitlines()[-3:]
    assert page.locator(".choices").count() <= 1
    expect(page.locator(".turn").last.locator(".said")).to_be_focused()


def test_each_message_says_its_language_and_the_chat_follows_the_person(opens: Opens) -> None:
    page = opens("/?lang=en")
    ask(page, "¿cuánto cuesta el tratamiento?")
    expect(last(page)).to_have_attribute("lang", "es")
    expect(page.get_by_role("button", name="Enviar")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(last(page)).to_have_attribute("lang", "es")
    ask(page, "Muse")
    expect(last(page)).to_have_attribute("lang", "en")


def test_what_a_person_of_the_clinic_writes_is_marked_as_theirs(opens: Opens, served: Served) -> None:
    page = opens()
    ask(page, "I want to talk to a person")
    other = opens(context=page.context)
    conversation = served.rows("SELECT max(conversation_id) FROM turn")[0][0]
    chat = served.app.state.api.chat
    chat.transcripts.say(conversation, "This is Marta of the clinic. <b>How</b> can I help?", "Marta")
    expect(page.locator(".staff")).to_be_visible()
    expect(page.locator(".staff .who")).to_contain_text("Marta, of the clinic")
    expect(page.locator(".staff .text")).to_have_text("This is Marta of the clinic. <b>How</b> can I help?")
    check_access(page, "en-staff")
    with pytest.raises(RequestError, match="There is no conversation 1000000000"):
        chat.transcripts.say(10**9, "hello")
    page.reload()
    expect(page.locator(".staff")).to_be_visible()
    assert other.locator(".staff").count() == 0, "another conversation"


def test_feedback_is_given_with_a_reason(opens: Opens, served: Served) -> None:
    page = opens()
    ask(page, "how much does it cost?")
    turn = last(page).get_attribute("data-turn")
    page.get_by_role("button", name="This did not help").click()
    page.get_by_role("button", name="It is too long").click()
    expect(page.get_by_text("Thank you. The clinic's staff can see this.")).to_be_focused()
    end = time.monotonic() + 5
    while served.rows(f"SELECT helpful, reason FROM turn WHERE id = {turn}") != [(0, "too_long")]:
        assert time.monotonic() < end


def test_deleting_asks_first_and_then_deletes_everywhere(opens: Opens, served: Served) -> None:
    page = opens()
    ask(page, "my name is Wilhelmina and I ask about the price")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Delete my conversation").click()
    page.get_by_role("button", name="No, keep it").click()
    assert turns(page) == 1
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Delete my conversation").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_role("status")).to_have_text("Your conversation is deleted.")
    assert turns(page) == 0
    assert served.rows("SELECT count(*) FROM turn WHERE text LIKE '%Wilhelmina%'") == [(0,)]
    assert "Wilhelmina" not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    ask(page, "hello")


def test_what_was_deleted_does_not_come_back_and_the_next_message_is_sent(opens: Opens) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    held: list[Any] = []
    page.route("**/api/messages", lambda route: held.append(route) if not held else route.continue_())
    page.locator("#message").fill("this is Wilhelmina")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Delete my conversation").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_role("status")).to_have_text("Your conversation is deleted.")
    page.locator("#message").fill("how much does it cost?")
    page.keyboard.press("Enter")
    held[0].continue_()  # the old one is answered only now
    expect(page.locator(".turn[data-turn]")).to_have_count(1)
    expect(last(page)).to_contain_text("I do not have the price")
    assert "Wilhelmina" not in page.evaluate("JSON.stringify({...sessionStorage})")


def test_what_is_deleted_in_one_tab_goes_from_the_others(opens: Opens) -> None:
    page = opens()
    ask(page, "my name is Wilhelmina, hello")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Remember on this device").click()
    other = opens(context=page.context)
    expect(other.locator(".turn[data-turn]")).to_have_count(1)
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Delete my conversation").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(other.locator(".turn[data-turn]")).to_have_count(0)
    for each in (page, other):
        assert "Wilhelmina" not in each.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")


def test_a_deletion_that_fails_is_told(opens: Opens) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.route("**/api/conversation", lambda route: route.abort())
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Delete my conversation").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.get_by_role("status")).to_contain_text("It was not deleted")
    assert turns(page) == 1


# What somebody does who has nothing but the keys: text, or the words of a button that is reached with Tab.
BOOKING: dict[Language, list[tuple[str, str]]] = {
    "en": [
        ("type", "I want an appointment"),
        ("press", "Yes"),
        ("press", "It is about me"),
        ("type", "Ana"),
        ("type", "+57 321 555 0101"),
        ("type", "tuesday afternoon"),
        ("type", "skip"),
        ("press", "Yes, send it"),
    ],
    "es": [
        ("type", "quiero una cita"),
        ("press", "Sí"),
        ("press", "De mí"),
        ("type", "Ana"),
        ("type", "+57 321 555 0102"),
        ("type", "el martes por la tarde"),
        ("type", "nada"),
        ("press", "Sí, envíelo"),
    ],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_is_asked_for_with_the_keyboard_alone(opens: Opens, served: Served, language: Language) -> None:
    page = opens(f"/?lang={language}")
    tab_to(page, WORDS[language]["ask"])
    page.keyboard.press("Enter")
    fields = {}
    for number, (how, what) in enumerate(BOOKING[language]):
        if how == "press":
            tab_to(page, what, inside=last(page))
            page.keyboard.press(["Enter", "Space"][number % 2])
        else:
            expect(page.locator("#message")).to_be_visible()
            if page.evaluate("document.querySelector('muse-chat').shadowRoot.activeElement?.id") != "message":
                tab_to(page, "")
            page.keyboard.type(what)
            fields[what] = page.locator("#message").evaluate("each => [each.tagName, each.type, each.autocomplete]")
            page.keyboard.press("Enter")
        expect(page.locator(".turn[data-turn]")).to_have_count(number + 1)
        if number in (3, 6):
            check_access(page, f"{language}-booking-{number}")
            check_targets(page)
    assert fields["Ana"] == ["INPUT", "text", "name"]
    assert fields[BOOKING[language][4][1]] == ["INPUT", "tel", "tel"]
    expect(last(page)).to_contain_text({"en": "Sent. Your code is", "es": "Enviado. Su código es"}[language])
    phone = BOOKING[language][4][1].replace(" ", "")
    assert served.rows(f"SELECT count(*) FROM request WHERE contact = '{phone}'") == [(1,)]
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=WORDS[language]["ask"])).to_be_focused()


def tab_to(page: Page, label: str, inside: Any = None) -> None:
    """Presses Tab until the thing with this label has the focus; without a label, the message box."""
    for _ in range(80):
        page.keyboard.press("Tab")
        text, name = page.evaluate(
            """() => { const at = document.querySelector('muse-chat').shadowRoot.activeElement;
            return at ? [at.textContent, at.id] : ['', '']; }"""
        )
        there = text.startswith(label) if label else name == "message"
        if there and (inside is None or inside.evaluate("(each) => each.contains(each.getRootNode().activeElement)")):
            return
    raise AssertionError(f"Tab does not lead to {label!r}")


def test_an_address_is_given_by_phone_or_by_mail(opens: Opens) -> None:
    page = opens()
    for text in ["I want an appointment", "yes", "me", "Ana"]:
        ask(page, text)
    page.get_by_role("button", name="Give an e-mail").click()
    expect(page.locator("#message")).to_have_attribute("type", "email")
    expect(page.locator("#message")).to_have_attribute("autocomplete", "email")
    expect(page.get_by_role("button", name="Give an e-mail")).to_have_attribute("aria-pressed", "true")
    ask(page, "ana@example.com")
    expect(last(page)).to_contain_text("ana@example.com")
    expect(page.locator("#message")).to_have_attribute("autocomplete", "country-name")
    ask(page, "Spain")
    expect(page.locator("textarea#message")).to_be_visible()


# --- it survives ------------------------------------------------------------------------------------------------------


def test_what_is_written_without_a_network_is_sent_once_and_in_order(opens: Opens, served: Served) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.context.set_offline(True)
    for text in ["how much does it cost?", "where is the clinic?", "is it proven?"]:
        page.locator("#message").fill(text)
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(
        "No network. What you wrote is kept here and sent as soon as there is one. "
        "In an emergency, call 123 in Colombia, or your local emergency number."
    )
    expect(page.get_by_text("Not sent yet")).to_have_count(3)
    check_access(page, "en-offline")
    page.context.set_offline(False)
    expect(page.locator(".turn[data-turn]")).to_have_count(4)
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    said = [each.inner_text() for each in page.locator(".said .text").all()]
    assert said == ["hello", "how much does it cost?", "where is the clinic?", "is it proven?"]
    numbers = [int(each.get_attribute("data-turn") or 0) for each in page.locator(".turn[data-turn]").all()]
    assert numbers == sorted(numbers)
    for text in said[1:]:
        query = f"SELECT count(*) FROM turn WHERE text = '{text}' AND id BETWEEN {numbers[0]} AND {numbers[-1]}"
        assert served.rows(query) == [(1,)]


def test_what_waits_is_still_sent_after_a_reload(opens: Opens) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.route("**/api/messages", lambda route: route.abort())
    page.locator("#message").fill("how much does it cost?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not sent yet")).to_have_count(1)
    page.unroute("**/api/messages")
    page.reload()
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(last(page)).to_contain_text("I do not have the price")


def test_an_answer_that_gets_lost_on_its_way_is_not_asked_for_twice(opens: Opens, served: Served) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    lost = []

    def lose(route: Any) -> None:
        if len(lost) < 2:
            lost.append(route.fetch())  # the server has answered, and nobody hears it
            route.abort()
        else:
            route.continue_()

    page.route("**/api/messages", lose)
    page.locator("#message").fill("what are the risks, all of them?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    assert len(lost) == 2
    assert served.rows("SELECT count(*) FROM turn WHERE text = 'what are the risks, all of them?'") == [(1,)]


def test_a_reload_and_a_new_start_of_the_server_change_nothing(opens: Opens, served: Served) -> None:
    page = opens(quiet=True)
    ask(page, "how much does it cost?")
    page.locator("#message").fill("a draft")
    page.reload()
    expect(page.locator(".turn[data-turn]")).to_have_count(1)
    expect(page.locator("#message")).to_have_value("a draft")
    served.stop()
    page.locator("#message").fill("where is the clinic?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not sent yet")).to_have_count(1)
    served.start()
    expect(page.locator(".turn[data-turn]")).to_have_count(2, timeout=20_000)


def test_two_tabs_of_one_conversation_tell_each_other(opens: Opens) -> None:
    page = opens()
    ask(page, "hello")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Remember on this device").click()
    expect(page.get_by_role("status")).to_contain_text("Not on a shared computer.")
    other = opens(context=page.context)
    expect(other.locator(".turn[data-turn]")).to_have_count(1)
    ask(other, "how much does it cost?")
    expect(page.locator(".turn[data-turn]")).to_have_count(2)
    expect(other.locator(".turn[data-turn]")).to_have_count(2)


def test_what_is_remembered_is_not_lost_to_a_page_where_nobody_wrote(opens: Opens) -> None:
    page = opens()
    ask(page, "hello")
    stranger = opens(context=page.context)  # opened before anything was to be remembered
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Remember on this device").click()
    stranger.goto("about:blank")
    third = opens(context=page.context)
    expect(third.locator(".turn[data-turn]")).to_have_count(1)


def test_what_waits_is_sent_from_the_next_page_though_the_chat_is_closed(opens: Opens, served: Served) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.context.set_offline(True)
    page.locator("#message").fill("what was written in a tunnel")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.context.set_offline(False)
    page.reload()
    end = time.monotonic() + 5
    while served.rows("SELECT count(*) FROM turn WHERE text = 'what was written in a tunnel'") != [(1,)]:
        assert time.monotonic() < end


def test_a_message_that_is_not_taken_stays_with_a_note(opens: Opens) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    page.route("**/api/messages", lambda route: route.fulfill(status=400, json={"error": "malformed", "message": "x"}))
    page.locator("#message").fill("something that is refused")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("This message could not be taken.")
    expect(page.locator("#message")).to_have_value("something that is refused")
    page.unroute("**/api/messages")
    ask(page, "how much does it cost?")
    expect(page.get_by_text("This message could not be taken.")).to_be_visible()


def test_nothing_is_remembered_unless_it_is_wanted(opens: Opens) -> None:
    page = opens()
    ask(page, "hello")
    assert page.evaluate("localStorage.length") == 0
    other = opens(context=page.context)
    other.get_by_role("button", name="Ask a question").click()
    assert turns(other) == 0


def test_a_session_that_has_expired_goes_on_and_a_very_old_one_is_told(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opens(quiet=True)
    ask(page, "hello")
    with monkeypatch.context() as old:
        old.setattr(api, "GOOD", -1)
        page.route("**/api/session", lambda route: (old.undo(), route.continue_()))
        ask(page, "how much does it cost?")
        page.unroute("**/api/session")
    assert "It has been a while" not in page.get_by_role("log").inner_text()
    with monkeypatch.context() as old:
        old.setattr(api, "GOOD", -1)
        old.setattr(api, "RENEWED", -1)

        def renewed(route: Any) -> None:
            answer = route.fetch()
            old.undo()
            route.fulfill(response=answer)

        page.route("**/api/session", renewed)
        ask(page, "where is the clinic?")
    expect(page.get_by_role("log")).to_contain_text("It has been a while, so a new conversation begins here.")


def test_a_slow_network_that_drops_one_in_three_loses_nothing(opens: Opens) -> None:
    page = opens(quiet=True)
    session = page.context.new_cdp_session(page)
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 200, "downloadThroughput": 50_000 / 8, "uploadThroughput": 50_000 / 8},
    )
    tries: list[int] = []

    def drop(route: Any) -> None:
        tries.append(1)
        route.abort() if len(tries) % 3 == 1 else route.continue_()

    page.route("**/api/messages", drop)
    page.get_by_role("button", name="Ask a question").click()
    for text in ["hello", "how much does it cost?", "is it proven?"]:
        page.locator("#message").fill(text)
        page.keyboard.press("Enter")
    expect(page.locator(".turn[data-turn]")).to_have_count(3, timeout=40_000)
    expect(page.locator(".said .text")).to_have_text(["hello", "how much does it cost?", "is it proven?"])
    assert len(tries) > 3


# --- nobody gets in ---------------------------------------------------------------------------------------------------

ATTACKS = [
    '<img src=x onerror="window.hurt=1">',
    "<script>window.hurt=1</script>",
    "javascript:window.hurt=1",
    '"><svg onload=window.hurt=1>',
    "{{constructor.constructor('window.hurt=1')()}}",
]


def test_what_anybody_writes_is_never_read_as_a_page(opens: Opens) -> None:
    page = opens(quiet=True)
    for text in ATTACKS:
        ask(page, text)
    for text in ["I want an appointment", "yes", "me", ATTACKS[0], "Ana"]:
        ask(page, text)
    ask(page, ATTACKS[1])
    page.reload()
    expect(page.locator(".turn[data-turn]").first).to_be_visible()
    assert page.evaluate("window.hurt") is None
    assert (
        page.evaluate("document.querySelector('muse-chat').shadowRoot.querySelectorAll('img, script, svg').length") == 0
    )


def test_even_content_and_server_cannot_bring_in_a_page(opens: Opens) -> None:
    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            poisoned = {key: poison(each) for key, each in value.items()}
            if "url" in poisoned:
                poisoned["url"] = "javascript:window.hurt=1"
            if "payload" in poisoned:
                poisoned["payload"] = "javascript:window.hurt=1"
            return poisoned
        if isinstance(value, list):
            return [poison(each) for each in value]
        return f"{value}{ATTACKS[0]}{ATTACKS[1]}" if isinstance(value, str) and " " in value else value

    def answer(route: Any) -> None:
        got = route.fetch()
        route.fulfill(status=200, content_type="application/json", body=json.dumps(poison(got.json())))

    page = opens(quiet=True)
    page.route("**/api/messages", answer)
    ask(page, "will I walk again?")
    page.get_by_role("button", name="Source 1").first.click()
    assert (
        page.evaluate("document.querySelector('muse-chat').shadowRoot.querySelectorAll('img, script, svg').length") == 0
    )
    assert (
        page.evaluate("[...document.querySelector('muse-chat').shadowRoot.querySelectorAll('a')].map((a) => a.href)")
        == []
    )
    assert page.evaluate("window.hurt") is None


# --- for every eye, hand and ear --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("phone", {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}),
        ("zoom", {"viewport": {"width": 320, "height": 256}}),  # 400 % of 1280 by 1024
        ("contrast", {"forced_colors": "active"}),
        ("dark", {"color_scheme": "dark"}),
    ],
)
def test_it_fits_small_screens_and_other_eyes(opens: Opens, name: str, more: dict[str, Any]) -> None:
    page = opens("/?lang=es", **more)
    check_access(page, f"{name}-closed")
    ask(page, "¿voy a volver a caminar?", "es")
    check_access(page, f"{name}-answer")
    check_targets(page)
    for place in (
        "document.documentElement",
        "document.querySelector('muse-chat').shadowRoot.querySelector('.scroll')",
    ):
        assert page.evaluate(f"{place}.scrollWidth <= {place}.clientWidth + 1"), "nothing is cut off at the side"
    for label in ("Enviar", "Cerrar"):
        if name == "zoom":  # a low screen is scrolled as a whole
            page.get_by_role("button", name=label).scroll_into_view_if_needed()
        expect(page.get_by_role("button", name=label)).to_be_in_viewport(ratio=0.99)
    page.get_by_role("button", name="Opciones").click()
    page.get_by_role("button", name="Letra más grande").click()
    page.keyboard.press("Escape")
    check_access(page, f"{name}-large")
    ask(page, "mi papá no puede respirar", "es")
    check_access(page, f"{name}-emergency")
    expect(page.locator(".urgent > .text")).to_be_in_viewport(ratio=0.5)


DICTATION = """
window.SpeechRecognition = class { start() { window.asked = this.processLocally === true;
  setTimeout(() => { this.onresult({ results: [[{ transcript: 'how much does it cost' }]] }); this.onend(); }, 20); }
  stop() {} };
"""


@pytest.mark.parametrize("local", [False, True])
def test_dictation_says_where_the_sound_goes_and_never_begins_by_itself(opens: Opens, local: bool) -> None:
    page = opens(quiet=True)
    status = "available" if local else "downloadable"
    available = f"window.SpeechRecognition.available = async () => '{status}';"
    page.context.add_init_script(DICTATION + available)
    page.reload()
    page.get_by_role("button", name="Ask a question").click()
    assert page.evaluate("window.asked") is None
    page.get_by_role("button", name="Dictate", exact=True).click()
    if not local:
        expect(page.get_by_text("your browser sends the sound to the company that made it")).to_be_visible()
        check_access(page, "en-dictate")
        assert page.evaluate("window.asked") is None
        page.get_by_role("button", name="Yes, dictate").click()
    expect(page.locator("#message")).to_have_value("how much does it cost")
    assert page.evaluate("window.asked") is local
    assert turns(page) == 0, "it is read once more before it is sent"


def test_the_microphone_is_off_when_the_chat_is_closed(opens: Opens) -> None:
    page = opens(quiet=True)
    slow = DICTATION.replace("}, 20)", "}, 5000)").replace(
        "stop() {}", "stop() { window.stopped = true; this.onend(); }"
    )
    page.context.add_init_script(slow + "window.SpeechRecognition.available = async () => 'available';")
    page.reload()
    page.get_by_role("button", name="Ask a question").click()
    page.get_by_role("button", name="Dictate", exact=True).click()
    expect(page.get_by_role("button", name="Stop dictating")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("window.stopped") is True


def test_answers_are_read_aloud_when_wanted(opens: Opens) -> None:
    page = opens()
    page.evaluate(
        "() => { window.said = []; speechSynthesis.speak = (it) => void window.said.push([it.lang, it.text]); }"
    )
    ask(page, "hello")
    assert page.evaluate("window.said") == []
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Read answers aloud").click()
    page.keyboard.press("Escape")
    ask(page, "¿cuánto cuesta el tratamiento con células?")
    said = page.evaluate("window.said.at(-1)")
    assert said[0] == "es-CO"
    assert said[1].startswith("No tengo el precio")
    for part in ("Lo que falta saber", "La prueba más débil", "1: "):
        assert (part in said[1]) == (part in last(page).inner_text() or part == "1: "), (
            "what is not known is heard, too"
        )
    ask(page, "no puedo respirar")
    assert page.evaluate("window.said.at(-1)[1]").startswith("Llame ya")


def test_a_conversation_can_be_copied_and_printed(opens: Opens) -> None:
    page = opens()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "will I walk again?")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Copy the conversation").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("You: will I walk again?")
    assert "https://doi.org/10.1186/s13287-024-03842-w" in copied
    page.evaluate("window.print = () => (window.printed = document.adoptedStyleSheets.length)")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Print the conversation").click()
    assert page.evaluate("window.printed") == 1
    assert page.evaluate("document.adoptedStyleSheets.length") == 0
