"""The dossier of an incident: what left, on what, under which policy, and the proof, from the audit log alone.

``gather`` turns records into facts, ``estimate`` and ``judgement`` weigh them, ``proof`` makes them verifiable without
the log, ``composing``, ``drafts`` and ``pdf`` write them for people, ``checking`` finds what was changed in a dossier.
Nothing here changes a log, asks the network or knows a document's text. docs/formats/dossier.md is the format.
"""
