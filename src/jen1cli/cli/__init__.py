"""The command `jen1`: the only part of the package that knows a terminal."""
