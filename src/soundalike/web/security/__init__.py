"""Who may send requests, and limits on slow or hostile clients."""
