"""A laptop's visit: who speaks (``identity``), whether now (``admission``), what is answered, when to come back."""
