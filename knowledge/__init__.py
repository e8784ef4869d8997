"""What a team knows: documents from its sources, found by meaning and by word, for those who may read them.

It knows neither Slack nor the bot; it takes plain values and could serve another program.
"""
