"""How routes get at the server's services: as a parameter of type `Server`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from soundalike.web.services.server_state import ServerState


# Asynchronous, although it waits for nothing: a plain function would run in another thread for each request.
async def server_of(request: Request) -> ServerState:
    """The state of the application that handles the request."""
    server: ServerState = request.app.state.server
    return server


Server = Annotated[ServerState, Depends(server_of)]
