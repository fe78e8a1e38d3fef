"""`jen1 serve`, and the commands' own client of such a server."""
