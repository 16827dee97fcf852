"""The session helper: what the agent has to say to a person, in that person's own session and with their rights.

It decides nothing. Without it, or killed, everything is guarded as before, and answers are given later.
"""
