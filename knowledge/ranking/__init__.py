"""The second, stronger look at what was found: order, joined passages, variety, and how likely the answer is there."""
