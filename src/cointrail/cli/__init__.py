"""The command line: one module a command. Data on stdout, words and progress on stderr."""
