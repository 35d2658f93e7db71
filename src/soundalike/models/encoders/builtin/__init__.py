"""The built-in encoder: features by signal processing, no download."""
