"""bzz: data models as a REST API for Tornado, and events for everything that happens to them."""

from bzz.errors import BzzError, ConfigurationError
from bzz.model.hive import ModelHive
from bzz.routing import RouteList, flatten

__all__ = ["BzzError", "ConfigurationError", "ModelHive", "RouteList", "flatten"]
__version__ = "0.1.0"
