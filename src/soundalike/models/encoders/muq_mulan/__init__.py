"""MuQ-MuLan."""
