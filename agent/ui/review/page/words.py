"""The words of the page's frame, by the names that its templates use. Pure table."""

from __future__ import annotations

from agent.errors import N_

PAGE = {
    "title": N_("Audit log"),
    "skip": N_("Go to the content"),
    "days": N_("Days"),
    "mine": N_("What the agent holds about me"),
    "close": N_("Close this page"),
    "filter": N_("Filter"),
    "apply": N_("Show"),
    "time": N_("Time"),
    "state": N_("State"),
    "what": N_("What"),
    "document": N_("Document"),
    "where": N_("Where"),
    "choose": N_("Choose"),
    "mark": N_("Mark as reviewed"),
    "mark_chosen": N_("Mark the chosen ones as reviewed"),
    "nothing": N_("Nothing of that kind on this day."),
    "truncated": N_("There is more than is shown here; serment audit export gives everything."),
    "back": N_("Back to the day"),
    "contest": N_("Contest: not a patient document"),
    "why": N_("Why?"),
    "words": N_("In your words (they stay on this laptop, encrypted)"),
    "contest_note": N_("The officer gets the reason that you choose, never the document."),
    "send": N_("Send the request"),
    "kept": N_("Kept"),
    "who": N_("Who can see it"),
    "empty": N_("The audit log is empty."),
    "closed": N_("This page is closed. You can close the tab."),
    "strange": N_("This link was used already, or is not of this run. Start again: serment audit review --page"),
    "refused": N_("That was not possible"),
    "done": N_("Done:"),
}
