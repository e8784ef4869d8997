"""Texts to vectors: one small port and its implementations."""

import os

# Read when onnxruntime is loaded: without it, its Linux builds keep a device id and usage records to send home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
