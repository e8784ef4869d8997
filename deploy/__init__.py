"""Ways to run Switchboard: a local workspace, containers, a service unit and the Slack app manifest."""
