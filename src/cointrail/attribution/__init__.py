"""Who is said to be behind an address: tags with source, date and confidence; actors; claims and their conflicts.

A tag is an assertion of whoever made it. Nothing here decides who is right, and nothing here knows clusters: what a tag
means for a cluster is joined in `service`, by the rule of `propagation`.
"""
