"""People who help: who owns a channel or a source, and who was asked for help."""
