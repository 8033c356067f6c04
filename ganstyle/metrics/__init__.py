"""Scores: how near a picture comes to what it should be."""
