"""From a trained artifact to a restyled picture."""
