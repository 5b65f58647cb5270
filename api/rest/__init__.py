"""The REST dialect: requests, views, schemas, routes, OpenAPI."""
