"""MongoEngine documents on an asynchronous driver."""
