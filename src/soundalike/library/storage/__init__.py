"""The library on disk or in object storage: tables, schema, locks, manifest, locations."""
