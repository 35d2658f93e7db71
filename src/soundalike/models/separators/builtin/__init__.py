"""The built-in separator: masks from signal processing, corrected by a small network; no download."""
