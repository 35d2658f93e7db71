"""Tasks on many machines: the connection to a Ray cluster, actors on its nodes, a pool of them."""

from __future__ import annotations

from soundalike.jobs.ray.ray_cluster import Machines, connected

__all__ = ["Machines", "connected"]
