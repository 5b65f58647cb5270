"""What every fold of a log shares: snapshots, their stores, saving."""
