"""The benchmark: bzz beside other ways to serve the same documents, in one run, on one MongoDB. ``python -m bench``."""
