"""What runs in a process of its own, by whichever Python has torch."""
