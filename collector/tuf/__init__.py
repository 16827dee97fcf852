"""The signed repository of policies: static files. The collector holds the keys of the roles that say what is newest
(snapshot, timestamp), how far a release has come (rollout) and who belongs to which group (assign); none that can
write or loosen a policy.
"""
