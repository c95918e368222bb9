"""How Sphinx makes a site of these pages: ``make docs``."""

project = "bzz"
extensions = ["myst_parser"]
root_doc = "contents"
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # "python theirs", and transcripts whose answers are JSON
