"""Memory, open files and threads of processes (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessStatus:
    """Memory in MB (resident; of that private, and mapped from files), open file descriptors, threads."""

    resident: float
    private: float
    mapped: float
    handles: int
    threads: int


def process_status(pid: int | None = None) -> ProcessStatus:
    """Status of a process, this one by default; raises OSError if it has ended."""
    folder = Path(f"/proc/{os.getpid() if pid is None else pid}")
    lines = (folder / "status").read_text(encoding="ascii").splitlines()
    values = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.split()}
    if "VmRSS" not in values:
        raise ProcessLookupError(f"process {pid} has ended")
    memory = [int(values[name]) * 1024 / 1e6 for name in ("VmRSS", "RssAnon", "RssFile")]
    return ProcessStatus(*memory, handles=len(os.listdir(folder / "fd")), threads=int(values["Threads"]))


def child_processes(pid: int | None = None) -> list[int]:
    """Process ids of the children of a process, this one by default."""
    tasks = Path(f"/proc/{os.getpid() if pid is None else pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def total_resident(pids: list[int]) -> float:
    """Resident memory in MB of several processes; those that have ended count as 0."""
    total = 0.0
    for pid in pids:
        try:
            total += process_status(pid).resident
        except OSError:
            continue
    return total
