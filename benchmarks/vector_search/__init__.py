"""Engines for vector search compared on synthetic vectors; what was tried and measured is in docs/vector-search.md."""
