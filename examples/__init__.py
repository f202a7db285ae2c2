"""Examples that run: the demo bulletin, diagrams, recipes."""
