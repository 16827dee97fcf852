"""Who belongs to the fleet: the authority, tokens, certificates, denial. docs/formats/fleet-protocol.md, 1 and 2."""
