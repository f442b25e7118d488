"""Someone of the staff in front of a browser, for the tests of their pages: a real app, without a network."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from bot.store.staff import Member, Role, Staff

PASSWORD = "a long password of ours"


class Browser(httpx.AsyncClient):
    """A browser that sends what the forms of a page carry."""

    async def read(self, path: str, status: int = 200) -> str:
        """The page at `path`, which must answer with `status`."""
        found = await self.get(path)
        assert found.status_code == status, (path, found.status_code, found.text[:500])
        return found.text

    async def submit(self, path: str, page: str = "/staff/me", **fields: Any) -> httpx.Response:
        """Sends a form to `path` with the token that the forms of `page` carry."""
        token = re.search(r'name="form_token" value="([^"]+)"', await self.read(page))
        assert token, f"{page} has no form"
        return await self.post(path, data={"form_token": token[1], **fields})


@asynccontextmanager
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    """Somebody who is not logged in."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with Browser(transport=transport, base_url="http://test") as found:
        yield found


def account(parts_engine: Any, role: Role, login: str = "") -> tuple[Member, str]:
    """A new account of that role, with the token of its invitation."""
    staff = Staff(parts_engine)
    member = staff.add(login or role, f"Ana {role}", role, "en")
    return member, staff.invite(member.login)


@asynccontextmanager
async def logged_in(app: FastAPI, engine: Any, role: Role, login: str = "") -> AsyncIterator[Browser]:
    """Someone of that role, logged in by the pages themselves."""
    member, token = account(engine, role, login)
    async with browser(app) as found:
        joined = await found.submit(
            f"/staff/join/{token}", f"/staff/join/{token}", name=member.name, password=PASSWORD, again=PASSWORD
        )
        assert joined.status_code == 200, joined.text
        entered = await found.submit("/staff/login", "/staff/login", login=member.login, password=PASSWORD)
        assert entered.status_code == 303, entered.text
        yield found
