"""Any Tornado application for the HTTP engines that others maintain.

An engine parses, frames and keeps connections; what is here passes one request at a time to the application, as
:mod:`tornado.httputil` documents it for servers, and its answer back. ``exchange`` is what ASGI and RSGI share.
"""
