"""The built-in separator: masks by signal processing, no download."""
