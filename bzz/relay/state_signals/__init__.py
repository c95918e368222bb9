"""The protocol of state-signals (https://pypi.org/project/state-signals), beside the events of bzz."""
