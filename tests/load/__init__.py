"""Load tests for tools that others know: Locust and k6, each with the reference platform's flow."""
