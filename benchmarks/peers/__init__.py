"""Published networks of other projects, to be measured beside ganstyle's models; see `python -m benchmarks.peers`."""
