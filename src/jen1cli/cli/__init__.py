"""The command line `jen1`: the only part of the package that uses the terminal."""
