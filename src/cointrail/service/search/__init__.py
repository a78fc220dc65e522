"""One search box: what a text is, whether it is in the snapshot, why not, and which command goes on from it."""
