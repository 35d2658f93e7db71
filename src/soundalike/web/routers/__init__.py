"""The HTTP API, one router for each resource."""

from soundalike.web.routers import (
    answer_routes,
    collection_routes,
    description_routes,
    favourite_routes,
    indexing_routes,
    item_routes,
    library_routes,
    map_routes,
    profile_routes,
    search_routes,
    upload_routes,
    waveform_routes,
)

ROUTERS = (
    library_routes.router,
    profile_routes.router,
    # Audio and waveforms of an item come before the item itself: an id may contain slashes, so that `/api/items/{item}`
    # would match their addresses too.
    waveform_routes.router,
    item_routes.router,
    upload_routes.router,
    favourite_routes.router,
    collection_routes.router,
    answer_routes.router,
    indexing_routes.router,
    search_routes.router,
    map_routes.router,
    description_routes.router,
)
