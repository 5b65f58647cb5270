"""The data of a platform: its folder, schema, topics and epochs."""
