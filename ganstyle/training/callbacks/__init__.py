"""What happens beside the training steps: samples, checkpoints, progress."""
