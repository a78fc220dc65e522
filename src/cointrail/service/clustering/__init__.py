"""One cluster in an answer: its figures and lists, what is held for review, tags and measured rates beside it."""
