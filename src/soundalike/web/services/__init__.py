"""What the routes call: the open library, uploads, worker processes, feedback, maps."""
