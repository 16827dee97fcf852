"""What the agent does for the person at the laptop: says what happened, takes answers, opens an emergency."""
