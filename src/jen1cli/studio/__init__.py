"""The local web page of `jen1 studio`, over the server of `jen1 serve`."""
