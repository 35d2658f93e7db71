"""The built-in separator: masks from signal processing, no download."""
