"""Files that come with a question: what they are, what they say, and what is too much. Nothing here calls a model."""
