"""Public face of the platform: REST gateway, realtime hub and order router."""
