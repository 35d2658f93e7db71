"""Storage of a library on disk or in object storage: tables, schema, locks, manifest, locations."""
