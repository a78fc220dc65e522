"""Writers of file formats that need values only and know nothing of the world. Same values, same bytes.

Compression and databases are written here, not by the platform's zlib or SQLite: their output depends on their version.
"""
