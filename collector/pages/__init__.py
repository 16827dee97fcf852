"""What people see: server-rendered, French and English, whole without a script."""

from collector.pages.frame import language, render
from collector.pages.records import event_filter, event_page, events_page, laptops_page

__all__ = ["event_filter", "event_page", "events_page", "language", "laptops_page", "render"]
