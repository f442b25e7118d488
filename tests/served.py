"""The real server at an address of this machine, and a real browser in front of it."""

import contextlib
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from bot.settings import ROOT

AXE = ROOT / "bot/channels/web/widget/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Served:
    """The application at an address of this machine; it can be stopped and started again."""

    app: FastAPI
    port: int
    database: str
    server: uvicorn.Server | None = None
    thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(self.app, port=self.port, log_level="critical", ws="none", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.server
        assert self.thread
        self.server.should_exit = True
        self.thread.join(10)

    def rows(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def chromium_of_this_machine() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def check_access(page: Page, shot: Path, only: str | None = None) -> None:
    """No violation of WCAG 2.2 AA that axe can find; and a screenshot."""
    page.screenshot(path=shot, full_page=only is None)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": RULES, "rules": {"region": {"enabled": only is None}}}
    found = page.evaluate("([only, options]) => axe.run(only || document, options)", [only, options])
    wrong = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]]
    assert not wrong, (shot.name, wrong)
