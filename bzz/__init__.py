"""bzz: data models as a REST API for Tornado, and events for everything that happens to them."""
