"""Trains the network of the built-in encoder, version 2: `python -m training --help`. Not part of the wheel."""
