"""The practice's patient list, as keyed digests, and what a document shows of it.

The detector is handed a ``Roster`` or none. A hit needs a family name, a given name and the birth date of the same
patient close together, or a patient's number; a name alone, a date alone, a name with somebody else's date are nothing.
``agent.patients`` makes the list; docs/formats/patient-list.md is its format. Pure: bytes in, numbers out.
Nothing is imported here: the resident agent needs ``index`` alone.
"""
