"""Bare hnswlib over the same vectors: `hnswlib_peer.py VECTORS.npy QUESTIONS.npy`; prints the seconds of each."""

from __future__ import annotations

import json
import sys
import time

import hnswlib
import numpy as np

NEAREST = 10


def main() -> None:
    """Builds with Chroma's settings, then asks one at a time, on one thread."""
    vectors, questions = (np.load(path) for path in sys.argv[1:3])
    index = hnswlib.Index(space="cosine", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=100, M=16)
    index.add_items(vectors)
    index.set_ef(100)
    seconds = []
    for question in questions:
        began = time.perf_counter()
        index.knn_query(question, k=NEAREST, num_threads=1)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
