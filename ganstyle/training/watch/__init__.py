"""A watch over training: evidence is collected on the device, judged on the host, and given a name."""
