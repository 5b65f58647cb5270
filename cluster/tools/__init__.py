"""Tools around a platform: benchmarks, replay, chaos, screenshots."""
