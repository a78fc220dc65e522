"""Cases of the acceptance scenario, played with the questions that people have and with their inputs alone."""
