"""Block Kit, one noun a file: plain values in, plain dicts out."""
