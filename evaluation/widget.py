"""How quick the chat on web pages is, in a real browser on this machine. Needs the development tools."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import httpx

from bot.errors import ModelError
from bot.settings import Settings

WARM_UP = 5  # messages that do not count

# In the page: the moments between pressing Enter and the answer standing there.
WATCH = """() => { const chat = document.querySelector('muse-chat').shadowRoot;
window.took = []; let begun = 0;
chat.addEventListener('keydown', (event) => { if (event.key === 'Enter') begun = performance.now(); }, true);
new MutationObserver((changes) => { for (const change of changes) for (const node of change.addedNodes)
  if (node.classList?.contains('answer')) window.took.push(performance.now() - begun);
}).observe(chat.querySelector('[role=log]'), { childList: true, subtree: true }); }"""


@dataclass(frozen=True)
class Speed:
    """All in milliseconds.

    Attributes:
        script: All work of scripts on the page until its button stands there.
        answers: From Enter to the answer on the screen, one for each message.
        server: From a program's call to the answer, for the same messages in the same order: the baseline.
    """

    script: float
    answers: list[float]
    server: list[float]


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The assistant in a process of its own, so that it does not share a processor's turn with what measures it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    chosen = {"PORT": port, "DATABASE_URL": settings.database_url, "MODEL_FILE": str(settings.model_file)}
    quiet = {"TELEGRAM_BOT_TOKEN": "", "PUBLIC_URL": "", "SECRET_KEY": "measured" * 8}
    server = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"], env={**os.environ, **chosen, **quiet}, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            with suppress(httpx.HTTPError):
                httpx.get(f"{url}/healthz").raise_for_status()
                break
            if server.poll() is not None:
                raise ModelError("The server did not start: `musebot serve` tells why.")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def measure(settings: Settings, texts: Sequence[str], told: Callable[[float], None]) -> Speed:
    """Serves the assistant on a free port, and sends every text twice: from the page, and as a program.

    Args:
        settings: With a database that may be written to.
        texts: What is asked, one after the other.
        told: Is told the share that is done.

    Raises:
        ModelError: The browser or the tools to drive it are missing.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ModelError("The browser's tools are missing: run `make test` once, which installs them.") from error
    with served(settings) as url:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(locale="en-US")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            page.goto(f"{url}/?lang=en")
            page.locator(".launcher").wait_for()
            metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            page.locator(".launcher").click()
            page.evaluate(WATCH)
            for number, text in enumerate(texts, 1):
                page.locator("#message").fill(text)
                page.keyboard.press("Enter")
                page.locator(".turn[data-turn]").nth(number - 1).wait_for()
                told(number / len(texts) / 2)
            answers = page.evaluate("window.took")
            browser.close()
        with httpx.Client(base_url=url) as client:
            token = client.post("/api/session", json={"lang": "en"}).json()["token"]
            alone = []
            for number, text in enumerate(texts, 1):
                begun = time.perf_counter()
                body = {"id": f"measured-{number}", "text": text}
                client.post("/api/messages", json=body, headers={"Authorization": f"Bearer {token}"}).raise_for_status()
                alone.append((time.perf_counter() - begun) * 1000)
                told(0.5 + number / len(texts) / 2)
    return Speed(metrics["ScriptDuration"] * 1000, answers[WARM_UP:], alone[WARM_UP:])
