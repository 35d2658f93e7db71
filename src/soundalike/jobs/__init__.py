"""Pools of workers that do tasks: processes on this machine (`worker_pool`), actors on a cluster (`ray`)."""
