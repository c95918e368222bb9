"""HTTP for models: path, query and body are pure; handler and hive make routes of them."""
