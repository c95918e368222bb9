"""Signals over HTTP: what receivers are told, and what they may do."""
