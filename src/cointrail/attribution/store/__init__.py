"""Tags in the database: what was imported when, what was withdrawn, and what was known on a day.

`reader.TagStore` reads, `importing` adds versions of collections, `retraction` takes single tags back, `export` gives
collections back. Only this package speaks SQL of tags.
"""
