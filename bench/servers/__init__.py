"""The servers that are compared, each a program of its own: ``python -m bench.servers.<name>``.

Every one serves the same users at ``/user`` and ``/user/<id>``, from the database that the environment names.
"""
