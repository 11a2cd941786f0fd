"""PBFT without I/O: ordering of opaque digests by the replicas of one epoch.

Reading order: `messages` (what is said), `quorum` (how many, and the settings), `transitions` (the life of a
slot as a table), `log` and `checkpoint` (what is remembered), `replica` (the owner of it all, what the node
calls), `catch_up` (answers to a STATUS), `output` (what a step leads to), `status` (what may be looked at).
"""
