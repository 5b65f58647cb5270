"""Way of single orders from the client back to the client, stage by stage."""
