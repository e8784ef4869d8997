"""A house whose server has a model that writes, one that sees, one that listens and one that draws."""

from __future__ import annotations

MEDIA_CARDS = """
[[models]]
name = "test-eye"
provider = "testing"
context_window = 16000
modality = ["text", "image"]
rates = { input = "5", output = "20" }

[[models]]
name = "test-ear"
provider = "testing"
task = "transcription"
rates = { minute = "0.006" }

[[models]]
name = "test-brush"
provider = "testing"
task = "image"
rates = { input = "5", output = "30" }
"""
