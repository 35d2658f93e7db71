"""A reverse proxy in this process, as an ASGI application: it publishes another one under a path."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class PublishingProxy:
    """Passes on requests under `base_path` only; `strips`: without that path."""

    def __init__(self, app: ASGIApp, base_path: str, *, strips: bool) -> None:
        self._app = app
        self._base = base_path
        self._strips = strips

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path != self._base and not path.startswith(f"{self._base}/"):
                await PlainTextResponse("another site of this host", 404)(scope, receive, send)
                return
            if self._strips:
                rest = path.removeprefix(self._base) or "/"
                scope = {**scope, "path": rest, "raw_path": rest.encode()}
        await self._app(scope, receive, send)
