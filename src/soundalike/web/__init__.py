"""A library behind HTTP: the API, and the page that uses it. Needs the extra `web`."""
