"""Work on a library that needs no analysis: audit, roots, Parquet."""
