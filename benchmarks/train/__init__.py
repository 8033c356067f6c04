"""What `python -m benchmarks.train_speed` times."""
