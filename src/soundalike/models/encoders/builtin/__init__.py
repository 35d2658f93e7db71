"""The built-in encoder: features from signal processing, no download."""
