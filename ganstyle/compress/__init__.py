"""From an artifact to a smaller one: which student, which of its channels it can do without, and what that is worth."""
