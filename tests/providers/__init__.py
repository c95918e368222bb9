"""Providers held against :mod:`bzz.testing.provider`, and the contract itself against faults."""
