"""Many workspaces in one process: who installed the bot, their houses, and the door that tells them apart."""
