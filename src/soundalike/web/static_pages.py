"""The page's own files, and answers to HEAD requests."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PageFiles(StaticFiles):
    """Static files that a browser asks for again at each visit (most answers are a short 304): the files of one page belong
    together, and another version of soundalike may be served at the same address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`, as `StaticFiles`."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class HeadRequests:
    """ASGI middleware that answers HEAD like GET, without the body. FastAPI's routes know GET only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)
