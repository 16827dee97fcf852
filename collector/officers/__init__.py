"""Who decides at the collector: accounts, roles, signing in, and what they decided. Pages show it:
``collector.pages``.
"""
