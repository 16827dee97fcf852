"""Copies that outlive the machine: made while the collector runs, sealed for whoever may put them back, put back whole.

Only SQLite's records lie in them; PostgreSQL has its own means (pg_dump, WAL archives), and its keys lie here all the
same. What laptops sent after the copy was made they send again.
"""

UNFINISHED = ".restoring"
"""Lies in a folder while a backup is put back into it: nobody may take it for a collector's that is whole."""
