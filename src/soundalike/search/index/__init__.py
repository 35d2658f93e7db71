"""Indexes over the vectors of a library: exact, quantised, sharded."""
