"""Maintenance of a library, without analysis: audit, roots, Parquet."""
