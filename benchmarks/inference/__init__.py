"""What `benchmarks.inference_speed` is made of: networks and ways to run them, clocks, memory, journeys, bars."""
