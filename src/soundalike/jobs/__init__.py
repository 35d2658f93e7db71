"""Worker processes on this machine (`worker_pool`) and on a cluster (`ray`)."""
