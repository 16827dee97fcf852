"""What laptops send: does it continue what is held (``check``, ``seals``: pure), and into the store with it.

Nothing here repairs a laptop's history. What does not fit is an alert that stays.
"""
