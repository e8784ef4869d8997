"""Answers whose source has changed: what each leans on, what became of that, and who is told."""
