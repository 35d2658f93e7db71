"""Hybrid Transformer Demucs."""
