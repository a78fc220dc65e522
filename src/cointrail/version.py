"""The program's version, below everything so that results can carry it."""

VERSION = "0.1.0"
