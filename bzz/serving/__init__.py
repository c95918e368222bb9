"""Serving an application: sane limits, several processes on one port, and a stop that drops no request."""
