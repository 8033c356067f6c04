"""From an artifact to one file that other programs run, with proof that it paints the same pictures."""
