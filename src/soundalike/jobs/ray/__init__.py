"""The same library made and searched by many machines: on Ray.

with connected("auto") as machines:
    index("s3://bucket/library", ["s3://bucket/audio"], elsewhere=machines)
"""

from __future__ import annotations

from soundalike.jobs.ray.ray_cluster import Machines, connected

__all__ = ["Machines", "connected"]
