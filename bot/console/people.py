"""The accounts of the staff, and the audit. For admins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bot.console.pages import Pages, Visit, go_to
from bot.errors import StaffError
from bot.messages import Language
from bot.store.staff import ROLES, Role

PAGE = 100  # rows of the audit


def router(pages: Pages, address: str) -> APIRouter:
    """The addresses of this page. `address`: where people reach us, for the links of invitations."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Admin = Annotated[Visit, Depends(pages.open_to("admin"))]  # noqa: N806 - a type
    Login = Annotated[str, Form(max_length=200)]  # noqa: N806 - a type

    async def shown(visit: Visit, problem: str = "", invited: str = "", token: str = "") -> Response:
        link = f"{address}/staff/join/{token}" if token else ""
        return pages.show(
            visit,
            "people.html",
            status=400 if problem else 200,
            people=await run_in_threadpool(pages.staff.all),
            roles=ROLES,
            problem=problem,
            invited=invited,
            link=link,
        )

    @routes.get("/people")
    async def people(visit: Admin) -> Response:
        return await shown(visit)

    @routes.post("/people")
    async def add(
        visit: Admin,
        login: Login = "",
        name: Login = "",
        role: Annotated[Role, Form()] = "viewer",
        language: Annotated[Language, Form()] = "es",
    ) -> Response:
        try:
            member = await run_in_threadpool(pages.staff.add, login, name, role, language)
        except StaffError as error:
            return await shown(visit, error.key)
        return await invited(visit, member.login, "add", member.role)

    @routes.post("/people/invite")
    async def invite(visit: Admin, login: Login) -> Response:
        return await invited(visit, login, "invite")

    async def invited(visit: Visit, login: str, action: str, detail: str = "") -> Response:
        login = login.strip().casefold()
        try:
            token = await run_in_threadpool(pages.staff.invite, login)
        except StaffError as error:
            return await shown(visit, error.key)
        await run_in_threadpool(pages.deeds.note, visit.member.login, action, f"staff:{login}", detail)
        return await shown(visit, invited=login, token=token)

    @routes.post("/people/change")
    async def change(
        visit: Admin,
        login: Login,
        role: Annotated[Role | None, Form()] = None,
        active: Annotated[bool | None, Form()] = None,
        unguard: Annotated[bool, Form()] = False,
    ) -> Response:
        try:
            member = await run_in_threadpool(pages.staff.change, login, role=role, active=active)
            if unguard:
                await run_in_threadpool(pages.staff.guard, login, None)
        except StaffError as error:
            return await shown(visit, error.key)
        now = f"{member.role}, {'active' if member.active else 'disabled'}{', without app' if unguard else ''}"
        await run_in_threadpool(pages.deeds.note, visit.member.login, "change", f"staff:{member.login}", now)
        return go_to(visit, "/staff/people")

    @routes.get("/audit")
    async def audit(
        visit: Admin, who: str = "", subject: str = "", before: Annotated[int | None, Query(ge=0)] = None
    ) -> Response:
        deeds = await run_in_threadpool(lambda: pages.deeds.find(who=who, subject=subject, before=before, most=PAGE))
        older = deeds[-1].id if len(deeds) == PAGE else None
        return pages.show(visit, "audit.html", deeds=deeds, who=who, subject=subject, older=older)

    return routes
