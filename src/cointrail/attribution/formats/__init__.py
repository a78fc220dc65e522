"""Files of tags: reading and writing. Each module reads one form into a `Pack`, or writes one."""
