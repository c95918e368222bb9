"""Spans for OpenTelemetry (https://opentelemetry.io) of requests, calls of providers, events and listeners."""
