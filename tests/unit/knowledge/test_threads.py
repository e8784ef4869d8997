"""Whatever part of the program is imported first, numpy comes after the word that one thread is enough for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# Notes what numpy finds in the environment when it is loaded, and the threads that its BLAS has then.
LOOK = """
import importlib, json, os, sys

class Watch:
    said = []

    def find_spec(self, name, path=None, target=None):
        if name == "numpy":
            self.said.append(os.environ.get("OPENBLAS_NUM_THREADS"))

sys.meta_path.insert(0, Watch())
for name in sys.argv[1:]:
    importlib.import_module(name)
import threadpoolctl
pools = [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"]
print(json.dumps([Watch.said, pools]))
"""


def look(*modules: str, **settings: str) -> tuple[list[str | None], set[int]]:
    """What numpy found in the environment of a new process, and the numbers of threads of its BLAS."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", LOOK, *modules], capture_output=True, text=True, env=env | settings)
    assert done.returncode == 0, done.stderr
    said, pools = json.loads(done.stdout)
    return said, set(pools)


@pytest.mark.parametrize("module", ["bot.app", "knowledge.vectors"])
def test_numpy_is_loaded_after_the_setting_of_one_thread(module: str) -> None:
    assert look(module) == (["1"], {1})


def test_a_number_of_threads_that_was_set_outside_stays() -> None:
    said, _ = look("knowledge.vectors", OPENBLAS_NUM_THREADS="2")
    assert said == ["2"]
