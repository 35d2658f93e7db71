"""Evaluation on human answers: datasets, the paper's tables, the user's own listening tests."""
