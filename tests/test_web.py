"""The plain chat page, over the real application: no JavaScript, no trust in the browser."""

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from bot.app import create_app
from bot.content_reader import read_content
from bot.nlu.encoder.sentences import encoder_name
from bot.settings import OUR_ENCODER, Settings


@pytest.fixture(scope="module")
def settings(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('web') / 'web.db'}"
    return Settings(model_file=model_file, database_url=url, secret_key="k" * 40)


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with an empty cookie jar."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test", follow_redirects=True) as client:
        yield client


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


async def send(browser: httpx.AsyncClient, page: str, **form: str) -> httpx.Response:
    hidden = {"token": field(page, "token"), "message_id": field(page, "message_id")}
    return await browser.post("/chat", data={**hidden, **form})


async def test_a_question_is_answered_with_footnotes_that_lead_to_their_source(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="will I walk again?")
    assert answer.status_code == 200
    assert answer.url.fragment == "last"
    assert "not a cure" in answer.text
    for target in re.findall(r'<sup><a href="#(s\d+-\d+)"', answer.text):
        assert f'id="{target}"' in answer.text
    assert "https://doi.org/10.1186/s13287-024-03842-w" in answer.text


async def test_buttons_work_without_javascript(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=es")).text
    assert "<script" not in page
    answer = await send(browser, page, text="", button="/cost")
    assert "No tengo el precio" in answer.text
    assert "¿Cuánto cuesta?" in answer.text, "the words of the button stand as what was said"


async def test_the_conversation_is_there_after_a_reload(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    await send(browser, page, text="how much does it cost?")
    assert "how much does it cost?" in (await browser.get("/chat")).text


async def test_sending_the_same_form_twice_asks_once(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    await send(browser, page, text="how much does it cost?")
    again = await send(browser, page, text="how much does it cost?")
    assert again.text.count("how much does it cost?") == 1


@pytest.mark.parametrize(("lang", "title"), [("en", "Questions about Muse cells"), ("es", "Preguntas sobre células")])
async def test_the_page_speaks_both_languages(browser: httpx.AsyncClient, lang: str, title: str) -> None:
    page = (await browser.get(f"/chat?lang={lang}")).text
    assert title in page
    assert f'<html lang="{lang}">' in page


async def test_the_language_switch_holds_for_the_answers(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=es")).text
    page = (await send(browser, page, text="hola")).text
    page = (await browser.get("/chat?lang=en")).text
    page = (await send(browser, page, text="", button="/cost")).text
    assert "I do not have the price" in page
    page = (await browser.get("/chat?lang=es")).text
    page = (await send(browser, page, text="Muse")).text
    assert '<html lang="es">' in page


@pytest.mark.parametrize(
    ("accepts", "expected"),
    [("en-GB,en;q=0.8", "en"), ("es-CO", "es"), ("fr-FR,fr;q=0.9,en;q=0.8", "en"), ("fr-FR", "es"), ("", "es")],
)
async def test_the_browser_language_is_used_first(browser: httpx.AsyncClient, accepts: str, expected: str) -> None:
    page = await browser.get("/chat", headers={"accept-language": accepts})
    assert f'<html lang="{expected}">' in page.text


async def test_a_form_from_another_place_is_refused(browser: httpx.AsyncClient) -> None:
    await browser.get("/chat?lang=en")
    refused = await browser.post("/chat", data={"text": "how much is it?", "token": "0" * 64, "message_id": "x"})
    assert refused.status_code == 403
    assert "please send it again" in refused.text
    assert 'aria-describedby="hint">how much is it?</textarea>' in refused.text, "what was typed is not lost"
    assert "how much is it?" not in (await browser.get("/chat")).text


@pytest.mark.parametrize("token", ["0" * 64, "ñ", ""])
async def test_a_refused_form_still_helps_someone_in_danger(browser: httpx.AsyncClient, token: str) -> None:
    await browser.get("/chat?lang=en")
    refused = await browser.post("/chat", data={"text": "I can't breathe", "token": token, "message_id": "x"})
    assert refused.status_code == 403
    assert "Call now: 123" in refused.text


async def test_another_site_cannot_send_a_form(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    form = {"token": field(page, "token"), "message_id": field(page, "message_id"), "session": field(page, "session")}
    for origin, status in (("https://elsewhere.test", 403), ("null", 403), ("http://clinic.test", 200)):
        sent = await browser.post("/chat", data={**form, "text": "how much is it?"}, headers={"origin": origin})
        assert sent.status_code == status, origin


async def test_a_browser_that_refuses_cookies_can_talk(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app)
    page = ""
    for text, shown in (("will I walk again?", "not a cure"), ("tell me more", "registry"), ("I can't breathe", "123")):
        async with httpx.AsyncClient(transport=transport, base_url="http://clinic.test") as without_cookies:
            page = page or (await without_cookies.get("/chat?lang=en")).text
            without_cookies.cookies.clear()
            hidden = {name: field(page, name) for name in ("token", "message_id", "session")}
            page = (await without_cookies.post("/chat", data={**hidden, "text": text})).text
            assert shown in page


async def test_the_same_form_with_other_words_is_another_message(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    await send(browser, page, text="how much does it cost?")
    assert "Call now: 123" in (await send(browser, page, text="I can't breathe")).text


async def test_text_typed_before_a_choice_is_answered_too(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="will I walk again?", button="/cost")
    assert "not a cure" in answer.text
    assert "I do not have the price" in answer.text


async def test_a_choice_does_not_push_guidance_aside(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="I can't breathe", button="/cost")
    assert "Call now: 123" in answer.text
    assert "I do not have the price" not in answer.text


async def test_a_number_chooses_on_the_first_page(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    assert "I do not have the price" in (await send(browser, page, text="3")).text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/chat", 405), ("HEAD", "/chat", 200), ("HEAD", "/healthz", 200)],
)
async def test_every_address_gets_a_page(browser: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await browser.request(method, path, headers={"accept-language": "en"})
    assert answer.status_code == status
    if status >= 400:
        assert "There is nothing at that address" in answer.text


async def test_a_form_that_is_far_too_large_is_refused(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="x" * 1_000_000)
    assert answer.status_code == 413
    assert "too long" in answer.text


async def test_a_language_that_we_do_not_have_changes_nothing(browser: httpx.AsyncClient) -> None:
    await browser.get("/chat?lang=en")
    assert '<html lang="en">' in (await browser.get("/chat?lang=fr")).text


async def test_the_page_language_is_expected_of_someone_new(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat", headers={"accept-language": "en"})).text
    assert "not proven" in (await send(browser, page, text="", button="/evidence_strength")).text


@pytest.mark.parametrize("cookie", ["anna", "WyJhbm5hIiwiZW4iXQ.AAAA", ""])
async def test_a_session_cannot_be_invented(browser: httpx.AsyncClient, cookie: str) -> None:
    refused = await browser.post(
        "/chat", data={"text": "hello", "token": "", "message_id": "x"}, headers={"cookie": f"musebot={cookie}"}
    )
    assert refused.status_code == 403


async def test_what_a_person_writes_is_never_markup(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="<img src=x onerror=alert(1)> <b>hello</b>")
    assert "<img" not in answer.text
    assert "&lt;img src=x" in answer.text


async def test_headers_forbid_scripts_frames_and_caches(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/chat")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_an_emergency_shows_numbers_that_can_be_called(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/chat?lang=en")).text
    answer = await send(browser, page, text="I can't breathe")
    assert 'class="reply urgent"' in answer.text
    assert 'href="tel:123"' in answer.text


async def test_guidance_shows_even_when_the_transcript_cannot_be_read_back(
    app: FastAPI, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.store.transcripts import Transcripts

    page = (await browser.get("/chat?lang=en")).text
    monkeypatch.setattr(Transcripts, "of", lambda *_: 1 / 0)
    assert "Call now: 123" in (await send(browser, page, text="I can't breathe")).text
    assert "+57 321 519 7850" in (await send(browser, page, text="how much does it cost?")).text


async def test_the_probes(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/healthz")).text == "ok"
    assert (await browser.get("/readyz")).json() == {
        "ready": True,
        "database": "ok",
        "encoder": encoder_name(OUR_ENCODER),
    }


async def test_without_a_database_the_page_still_answers(model_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    app = create_app(Settings(model_file=model_file, database_url=f"sqlite:///{file}", secret_key="k" * 40))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://clinic.test") as browser:
        page = (await browser.get("/chat?lang=en")).text
        with sqlite3.connect(file) as connection:
            connection.executescript("DROP TABLE turn; DROP TABLE conversation")
        emergency = await send(browser, page, text="I can't breathe")
        assert emergency.status_code == 200
        assert "Call now: 123" in emergency.text
        answer = await send(browser, page, text="how much does it cost?")
        assert "+57 321 519 7850" in answer.text
        assert (await browser.get("/chat")).status_code == 200
        assert (await browser.get("/readyz")).status_code == 503
        assert (await browser.get("/healthz")).status_code == 200


async def test_every_footnote_leads_to_its_source_on_the_page_of_sources(browser: httpx.AsyncClient) -> None:
    for language in ("en", "es"):
        page = (await browser.get(f"/chat?lang={language}")).text
        answer = await send(browser, page, text="", button="/evidence_strength")
        keys = re.findall(r'href="/sources#([\w-]+)"', answer.text)
        sources = await browser.get("/sources")
        assert f'<html lang="{language}">' in sources.text
        assert "<script" not in sources.text
        assert keys
        for key in keys:
            assert f'id="{key}"' in sources.text


async def test_the_page_of_sources_lists_each_cited_source_once_with_what_it_shows(browser: httpx.AsyncClient) -> None:
    content = read_content(Settings().content_folder)
    page = (await browser.get("/sources?lang=en")).text
    listed = re.findall(r'<article class="source" id="([\w-]+)"', page)
    assert len(listed) == len(set(listed))
    cited = {key for answer in content.answers.values() for claim in answer.claims for key in claim.sources}
    cited |= {key for guide in content.safety.topics.values() for step in guide.steps for key in step.sources}
    assert cited <= set(listed)
    assert "Without a comparison group it cannot show" in page
    for doi in re.findall(r'href="https://doi\.org/([^"]+)"', page):
        assert re.fullmatch(r"10\.\d{4,9}/\S+", doi)


async def test_the_staffs_own_words_are_marked(browser: httpx.AsyncClient, app: FastAPI, settings: Settings) -> None:
    page = (await browser.get("/chat?lang=en")).text
    await send(browser, page, text="I want to talk to a person")
    with sqlite3.connect(settings.database_url.removeprefix("sqlite:///")) as connection:
        (conversation,) = connection.execute("SELECT conversation_id FROM turn ORDER BY id DESC").fetchone()
    app.state.api.chat.transcripts.say(conversation, "This is Marta. <b>How</b> can I help?")
    page = (await browser.get("/chat")).text
    assert "<h2>A person of the clinic</h2>" in page
    assert "This is Marta. &lt;b&gt;How&lt;/b&gt; can I help?" in page
    assert page.count("<h2>You</h2>") == 1
