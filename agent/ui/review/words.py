"""Codes of the review → words. Pure tables; ``sentences`` and the lines of ``audit list`` share them."""

from __future__ import annotations

from agent.errors import N_

STATES = {
    "open": N_("to review"),
    "reviewed": N_("reviewed"),
    "contested": N_("contested"),
    "": "",
}
SHOWN = {
    "notable": N_("where something was done"),
    "open": N_("still to review"),
    "contested": N_("contested"),
    "documents": N_("every document"),
    "everything": N_("every record"),
}
WHY = {
    "no-patient": N_("it is about no patient"),
    "blank-form": N_("it is a blank form or a model letter"),
    "teaching": N_("it is teaching material or an invented case"),
    "published": N_("it is published (article, leaflet, recommendation)"),
    "own-document": N_("it is my own or an administrative document"),
    "anonymous": N_("nobody can be recognised in it"),
    "other": N_("another reason, told below"),
}
SCOPES = {
    "own": N_("somebody looked at the own records"),
    "all": N_("the administrator looked at the records of this laptop"),
    "names": N_("the administrator was shown the name of the document of record {of}"),
    "mine": N_("somebody asked what is held about them"),
}
SHORT = {
    "observe": N_("let go"),
    "inform": N_("let go, told"),
    "justify": N_("held"),
    "encrypt": N_("sealed"),
    "block": N_("refused"),
}
"""What was done, in a word."""
QUESTIONS = {
    "block": N_("Why was this refused?"),
    "justify": N_("Why was this held?"),
    "encrypt": N_("Why was this sealed?"),
}
