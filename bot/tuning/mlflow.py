"""An MLflow tracking server, by its REST API: each training run is one run there, with its parameters and figures.

No text and no person goes there. What is there already is asked for first, so that whoever goes on with a run sends
what lacks, and nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.errors import TrackingFailed
from bot.logs import mask
from bot.tuning.datasets import Dataset
from bot.tuning.runs import Run
from bot.tuning.tuner import Step

SECONDS = 10.0
"""So long one request may take."""
RUN_TAG = "switchboard.run"
COST, TOKENS = "cost_usd", "tokens"
_AT_ONCE = 500
_STATUS = {"succeeded": "FINISHED", "failed": "FAILED", "expired": "FAILED", "cancelled": "KILLED"}
_MISSING, _THERE = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"

JSON = dict[str, Any]


class Mlflow:
    """`address`: of the server; `experiment`: what its runs stand in; `headers` say who asks. Close it when done."""

    def __init__(self, address: str, experiment: str, headers: Mapping[str, str]) -> None:
        self._where = urlsplit(address).netloc
        self._experiment = experiment
        self._session = aiohttp.ClientSession(
            base_url=f"{address}/api/2.0/mlflow/",
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=SECONDS),
        )
        self._ids: dict[str, str] = {}
        self._sent: dict[str, set[tuple[str, int]]] = {}

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def send(self, run: Run, steps: Mapping[int, Step], data: Dataset) -> None:
        """Sends what lacks there: the run with its parameters, figures by step, and how it ended with its cost.

        Raises TrackingFailed, a sentence; what was sent until then stays.
        """
        try:
            if run.id not in self._ids:
                await self._open(run, data)
            await self._figures(run, steps)
            if run.ended_at is not None:
                ended = {"status": _STATUS[run.state], "end_time": _milliseconds(run.ended_at)}
                await self._ask("POST", "runs/update", {"run_id": self._ids[run.id], **ended})
        except TrackingFailed:
            self._ids.pop(run.id, None)  # the server may have taken it all the same: it is asked again what is there
            raise

    async def _open(self, run: Run, data: Dataset) -> None:
        experiment = await self._experiment_id()
        there = {"experiment_ids": [experiment], "filter": f"tags.`{RUN_TAG}` = '{run.id}'", "max_results": 1}
        found = (await self._ask("POST", "runs/search", there)).get("runs")
        if not found:
            new = {"run_name": run.id, "start_time": _milliseconds(run.ordered_at), "tags": _pairs({RUN_TAG: run.id})}
            found = [(await self._ask("POST", "runs/create", {"experiment_id": experiment, **new}))["run"]]
        id = str(found[0]["info"]["run_id"])
        kept = (await self._ask("GET", "runs/get", {"run_id": id}))["run"]["data"]
        known = {one["key"] for one in kept.get("params", ())}
        params = {name: value for name, value in _parameters(run, data).items() if name not in known}
        if params:
            await self._ask("POST", "runs/log-batch", {"run_id": id, "params": _pairs(params)})
        self._sent[run.id] = {
            figure for one in kept.get("metrics", ()) for figure in await self._history(id, one["key"])
        }
        self._ids[run.id] = id

    async def _experiment_id(self) -> str:
        named = {"experiment_name": self._experiment}
        found = await self._ask("GET", "experiments/get-by-name", named, but=_MISSING)
        if not found:  # somebody else may be faster
            await self._ask("POST", "experiments/create", {"name": self._experiment}, but=_THERE)
            found = await self._ask("GET", "experiments/get-by-name", named)
        return str(found["experiment"]["experiment_id"])

    async def _history(self, id: str, name: str) -> set[tuple[str, int]]:
        """The steps at which a figure is there."""
        wanted = {"run_id": id, "metric_key": name, "max_results": str(_AT_ONCE)}
        found: set[tuple[str, int]] = set()
        while True:
            told = await self._ask("GET", "metrics/get-history", wanted)
            found |= {(name, int(one.get("step", 0))) for one in told.get("metrics", ())}
            if not told.get("next_page_token"):
                return found
            wanted["page_token"] = told["next_page_token"]

    async def _figures(self, run: Run, steps: Mapping[int, Step]) -> None:
        figures = {(name, number): value for number, step in steps.items() for name, value in step.figures.items()}
        if run.ended_at is not None:
            last = {COST: run.cost, TOKENS: run.tokens}
            figures |= {
                (name, max(steps, default=0)): float(value) for name, value in last.items() if value is not None
            }
        lacking = [key for key in figures if key not in self._sent[run.id]]
        now = _milliseconds(datetime.now(UTC))
        for start in range(0, len(lacking), _AT_ONCE):
            part = lacking[start : start + _AT_ONCE]
            metrics = [
                {"key": name, "value": figures[name, step], "step": step, "timestamp": now} for name, step in part
            ]
            await self._ask("POST", "runs/log-batch", {"run_id": self._ids[run.id], "metrics": metrics})
            self._sent[run.id].update(part)

    async def _ask(self, method: str, path: str, values: Mapping[str, Any], *, but: str = "") -> JSON:
        """The server's answer; {} where it refuses with the code `but`."""
        how: JSON = {"params": values} if method == "GET" else {"json": values}
        try:
            # A redirect may lead to a page for people to log in, or take the key elsewhere.
            async with self._session.request(method, path, allow_redirects=False, **how) as response:
                told = await response.json(content_type=None)
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TrackingFailed(f"MLflow at {self._where} cannot be reached ({type(error).__name__}).") from error
        except ValueError as error:
            raise TrackingFailed(f"What answers at {self._where} is no MLflow: see `tuning.mlflow`.") from error
        if status == 200 and isinstance(told, dict):
            return told
        code = told.get("error_code") if isinstance(told, dict) else None
        if but and code == but:
            return {}
        if status in (401, 403):
            raise TrackingFailed(
                f"MLflow at {self._where} lets us not in. Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD."
            )
        why = mask(str(told.get("message", "")))[:200] if isinstance(told, dict) else ""
        raise TrackingFailed(f"MLflow at {self._where} refused it with status {status}. {why}".rstrip())


def _parameters(run: Run, data: Dataset) -> dict[str, Any]:
    """What it was trained with and on: settings, the seed, the base, the data's hash, where its rows are from."""
    rows = {f"rows.{part}": data.report[part] for part in ("train", "validation", "preferences")}
    origins = {f"rows.from.{origin}": number for origin, number in data.report["by_origin"].items()}
    own = {"tuner": run.tuner, "base": run.base, "data": data.id}
    return {**run.parameters, **own, **rows, **origins}


def _pairs(values: Mapping[str, Any]) -> Sequence[JSON]:
    return [{"key": name, "value": str(value)} for name, value in values.items()]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
