"""Pretrained and built-in models: encoders, separators, their checkpoints, and what neural models share."""
