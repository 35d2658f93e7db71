"""What the routes work with. Routes receive it as a parameter of type `Services`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from soundalike.web.services.feedback import Feedback
from soundalike.web.services.server_state import Session


@dataclass(frozen=True)
class ServerServices:
    """The services of one application. local_only: whether only this machine can reach the server."""

    session: Session
    feedback: Feedback
    local_only: bool


# Asynchronous, although it waits for nothing: a plain function would run in another thread for each request.
async def services_of(request: Request) -> ServerServices:
    """The services of the application that handles the request."""
    services: ServerServices = request.app.state.services
    return services


Services = Annotated[ServerServices, Depends(services_of)]
