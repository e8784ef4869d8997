"""What the assistant is: questions, strategies, models, costs, learning, jobs and storage."""
