"""Commands about this installation: `jen1 doctor` and `jen1 models`."""
