"""Let `python -m jen1cli` be the command `jen1`."""

from jen1cli.cli.app import main

if __name__ == "__main__":
    main()
