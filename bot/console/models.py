"""Model versions: train one, see what it gains and loses, put it live, take it back: each step a decision."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from bot.console.pages import Pages, RefusedError, Visit, go_to
from bot.errors import StaffError
from bot.model_report import compare
from bot.versions import Versions

MOST_SHOWN = 200  # messages that fare otherwise, of each kind


def router(pages: Pages, versions: Versions) -> APIRouter:
    """The addresses of these pages."""
    routes = APIRouter(prefix="/staff", include_in_schema=False)
    Reviewer = Annotated[Visit, Depends(pages.open_to("reviewer"))]  # noqa: N806 - a type
    Admin = Annotated[Visit, Depends(pages.open_to("admin"))]  # noqa: N806 - a type

    async def shown(visit: Visit, problem: str = "") -> Response:
        live = await run_in_threadpool(versions.live)
        return pages.show(
            visit,
            "models.html",
            status=409 if problem else 200,
            problem=problem,
            live=live,
            versions=await run_in_threadpool(versions.all),
            history=list(reversed(await run_in_threadpool(versions.history))),
            progress=await run_in_threadpool(versions.progress),
        )

    @routes.get("/models")
    async def models(visit: Reviewer) -> Response:
        return await shown(visit)

    @routes.get("/models/progress")
    async def progress(visit: Reviewer) -> Response:
        return pages.show(visit, "_progress.html", progress=await run_in_threadpool(versions.progress))

    @routes.post("/models/train")
    async def train(visit: Reviewer, note: Annotated[str, Form(max_length=200)] = "") -> Response:
        try:
            await run_in_threadpool(versions.start, visit.member.login, note.strip())
        except StaffError as error:
            return await shown(visit, error.key)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "train", "", note.strip())
        return go_to(visit, "/staff/models")

    @routes.post("/models/cancel")
    async def cancel(visit: Reviewer) -> Response:
        await run_in_threadpool(versions.cancel)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "train_cancel")
        return go_to(visit, "/staff/models")

    @routes.post("/models/back")
    async def back(visit: Admin) -> Response:
        try:
            name = await run_in_threadpool(versions.back, visit.member.login)
        except StaffError as error:
            return await shown(visit, error.key)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "model_back", f"model:{name}")
        return go_to(visit, "/staff/models")

    @routes.get("/models/{name}")
    async def version(visit: Reviewer, name: str) -> Response:
        found = await run_in_threadpool(versions.find, name)
        if found is None:
            raise RefusedError(404, "no_version")
        live = await run_in_threadpool(versions.live)
        after = await run_in_threadpool(versions.report, name)
        before = await run_in_threadpool(versions.report, live.id) if live and live.id != name else None
        comparison = await run_in_threadpool(compare, before, after) if before and after else None
        return pages.show(
            visit, "model.html", version=found, live=live, report=after, comparison=comparison, most=MOST_SHOWN
        )

    @routes.post("/models/{name}/live")
    async def put_live(visit: Admin, name: str) -> Response:
        try:
            await run_in_threadpool(versions.put_live, name, visit.member.login)
        except StaffError as error:
            return await shown(visit, error.key)
        await run_in_threadpool(pages.deeds.note, visit.member.login, "model_live", f"model:{name}")
        return go_to(visit, "/staff/models")

    return routes
