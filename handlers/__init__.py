"""Slack in and out: events become questions, answer events become messages."""
