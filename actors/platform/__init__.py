"""What every process of the platform needs: configs, topology, errors, logs, metrics, channels."""
