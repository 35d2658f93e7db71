"""No module imports itself through others, imports inside functions and under TYPE_CHECKING included."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"


def import_graph() -> dict[str, set[str]]:
    """The modules that each module of the package imports, anywhere in its text."""
    files = {}
    for path in (SOURCE / "soundalike").rglob("*.py"):
        files[".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")] = path
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        imported: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                imported |= {
                    full if (full := f"{node.module}.{name.name}") in files else node.module for name in node.names
                }
            elif isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
        graph[module] = (imported & files.keys()) - {module, "soundalike"}
    return graph


def test_no_module_imports_itself_through_others() -> None:
    graph = import_graph()
    assert len(graph) > 200
    assert graph["soundalike.search.finder"]
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


def test_a_cycle_would_be_noticed() -> None:
    graph = import_graph()
    graph["soundalike.errors"] = {"soundalike.search.finder"}
    with pytest.raises(graphlib.CycleError):
        tuple(graphlib.TopologicalSorter(graph).static_order())
