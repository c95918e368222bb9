"""Metrics for Prometheus (https://prometheus.io): counted where the work is done, answered at ``/metrics``."""
