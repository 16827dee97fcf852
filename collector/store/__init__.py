"""Everything that is in the database: values and interfaces (``base``), tables, both engines, months, migrations.

Nobody else writes SQL that changes laptops, events, arrivals or alerts; packages with tables of their own write those.
"""
