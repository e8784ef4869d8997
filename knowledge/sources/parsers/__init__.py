"""From the bytes of a file to blocks of text: one module for each format."""
