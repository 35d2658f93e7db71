"""Finding similar items: requests, weights, filters, indexes, results."""
