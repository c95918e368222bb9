"""Tests of the description of models."""
