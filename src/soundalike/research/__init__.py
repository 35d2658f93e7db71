"""Evaluation on human answers: datasets, the paper's tables, listening tests of one's own."""
