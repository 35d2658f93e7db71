"""Trainable baselines on a miniature Slakh2100: tracks, training, evaluation. See `__main__`."""
