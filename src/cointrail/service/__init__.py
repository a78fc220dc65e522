"""Use cases: the only door for the command line and the web. One use case a module; answers are frozen."""
