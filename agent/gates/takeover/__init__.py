"""1c. Taking a removable volume over: its file system goes behind an airlock, and comes back when it is ejected."""
