"""What a team knows: documents from its sources, found by meaning and by word, for those who may read them.

It knows neither Slack nor the bot; it takes plain values and could serve another program.
"""

import os

# Read when numpy is loaded. What is multiplied here is small: a second thread only waits for the first, and takes the
# core from another question.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
