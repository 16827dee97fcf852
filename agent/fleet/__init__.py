"""What makes a laptop one of a fleet: its token (``token``), its key and certificate (``identity``), joining and
renewing (``enrolment``), what it is given to follow (``updates``). The wire that all of it goes over is
``transport``'s.
"""

FOLDER = "fleet"  # below the agent's data; there is none on a laptop that never was one of a fleet
