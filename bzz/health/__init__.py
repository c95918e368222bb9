"""Whether a process lives, and whether it can answer: for load balancers and orchestrators."""
