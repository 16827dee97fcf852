"""The practice's patient list: from an export of the practice software to keyed digests, and where they are kept.

``load`` is the whole way: a confined child reads the export (``building``), ``store`` keeps what comes back. The pure
parts are ``columns`` (which column is what), ``rows`` (a row → a patient), ``entries`` (patients → digests), ``wire``
(what child and parent say). The detector's side of the list is ``agent.detection.roster``. No name, date or number of a
patient leaves the child; docs/formats/patient-list.md says what the digests protect and what not.
"""
