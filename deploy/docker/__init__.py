"""The image of Switchboard, and its steps without an engine."""
