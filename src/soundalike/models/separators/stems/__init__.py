"""True stems, read from files beside the mixture."""
