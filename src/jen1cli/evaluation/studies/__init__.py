"""One module for each `jen1 evaluate` study, from clips to a report."""
