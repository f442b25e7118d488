"""How quick the chat on web pages is, in a real browser on this machine. Needs the development tools."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.errors import ModelError
from bot.settings import Settings

WARM_UP = 5  # messages that do not count

# In the page: the moments between pressing Enter and the answer standing there.
WATCH = """() => { const chat = document.querySelector('muse-chat').shadowRoot;
window.took = []; let begun = 0;
chat.addEventListener('keydown', (event) => { if (event.key === 'Enter') begun = performance.now(); }, true);
new MutationObserver((changes) => { for (const change of changes) for (const node of change.addedNodes)
  if (node.dataset?.turn) window.took.push(performance.now() - begun);
}).observe(chat.querySelector('[role=log]'), { childList: true }); }"""


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
    import httpx
    import uvicorn

    from bot.app import create_app

    with socket.socket() as address:
        address.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(create_app(settings), log_level="critical", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [address]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        url = f"http://127.0.0.1:{address.getsockname()[1]}"
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
        server.should_exit = True
        thread.join(10)
    return Speed(metrics["ScriptDuration"] * 1000, answers[WARM_UP:], alone[WARM_UP:])
