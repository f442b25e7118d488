"""What shows the chat on web pages: the widget's one file, and a page of a clinic that carries it."""

import json
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from bot.channels.web.routes import FOLDER, Chat, session_of
from bot.messages import LANGUAGES, Language

BUNDLE = FOLDER / "static" / "widget.js"  # `make setup` builds it from widget/
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def mount(app: FastAPI, chat: Chat, bundle: Path = BUNDLE) -> None:
    """Adds `/widget.js`, the page at `/`, and the one at `/inline` that has the chat inside."""
    script = widget(chat, bundle)
    tag = f'"{sha256(script.encode()).hexdigest()[:16]}"' if script else ""

    @app.api_route("/widget.js", methods=["GET", "HEAD"], include_in_schema=False)
    async def widget_js(request: Request) -> Response:
        if script is None:
            return PlainTextResponse("// not built: run make setup, which needs Node.js", status_code=404)
        # A page of another site may load it: a module is fetched as if by a program.
        headers = {
            "ETag": tag,
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def home(request: Request, lang: str = "") -> Response:
        return _page(chat, request, lang, inline=False)

    @app.api_route("/inline", methods=["GET", "HEAD"], include_in_schema=False)
    async def inline(request: Request, lang: str = "") -> Response:
        return _page(chat, request, lang, inline=True)


def widget(chat: Chat, bundle: Path = BUNDLE) -> str | None:
    """The widget with all of its words in both languages; None where it was not built.

    The words travel with it, so that the button on the page needs no second request.
    """
    if not bundle.is_file():
        return None
    words = {language: _words(chat, language) for language in LANGUAGES}
    # As JSON inside of a script: the two line ends that JSON allows and old scripts do not are written out.
    told = json.dumps(words, ensure_ascii=False, separators=(",", ":")).replace("\u2028", "\\u2028")
    return f"const WORDS={told.replace(chr(0x2029), '')};{bundle.read_text(encoding='utf-8')}"


def _words(chat: Chat, language: Language) -> dict[str, object]:
    said: dict[str, object] = {key: wording.of(language) for key, wording in chat.content.widget.says.items()}
    for key in ("unknown_label", "evidence_label"):
        said[key] = chat.phrases.text(key, language)
    greeting = chat.phrases.reply("greet", language)
    said["greet"] = {"text": greeting.text, "buttons": jsonable_encoder(greeting.buttons)}
    return said


def _page(chat: Chat, request: Request, lang: str, *, inline: bool) -> Response:
    session = session_of(chat, request, lang)
    html = chat.home.render(
        language=session.language,
        other="es" if session.language == "en" else "en",
        other_name=chat.content.widget.says["other_language"].of(session.language),
        word=lambda key: chat.content.widget.page[key].of(session.language),
        inline=inline,
        phone=chat.content.clinic.phone,
    )
    return HTMLResponse(html, headers=HEADERS)
