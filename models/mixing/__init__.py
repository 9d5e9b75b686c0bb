"""What ``autoregressive`` mixes its network with: counters that adapt to the file, and the decisions they predict."""
