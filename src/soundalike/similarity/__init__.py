"""Cosines, weights, contributions and projections: arrays in, arrays out."""
