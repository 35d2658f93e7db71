"""The built-in encoder: features from signal processing, and a small network; no download."""
