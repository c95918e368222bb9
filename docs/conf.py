"""How Sphinx makes a site of these pages: ``make docs``."""

project = "bzz"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "contents"
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # "python theirs", and transcripts whose answers are JSON

nitpicky = True
nitpick_ignore_regex = [
    # What other projects document, whose inventories would have to be fetched.
    (r"py:.*", r"(asyncio|_asyncio|blinker|collections|concurrent|contextlib|datetime|mongoengine|os|pathlib)\..*"),
    (r"py:.*", r"(opentelemetry|pymongo|re|tornado|types|typing)\..*"),
    # What is inside: the reference has the public names.
    (r"py:.*", r"bzz(\.[a-z_]+)+\.\w+(\.\w+)?"),
    (r"py:mod", r"bzz(\.\w+)*"),
    # Type variables, and members of the same class by their bare names.
    (r"py:class", r"[A-Z]|SendReset|Field|Shape|datetime"),
    (r"py:(attr|func|meth)", r"(\w+\.)?\w+"),
    (r"py:attr", r"bzz\.Change\.position"),
]
