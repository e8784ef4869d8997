"""A linear bandit: learns what the estimates get wrong, and tries only what is about as good as the best.

What is learned is a correction to the estimated quality, linear in a small context, with a Gaussian prior around 0:
without labels the estimates hold as they are (the warm start). Choosing is Thompson sampling (Agrawal and Goyal 2013)
among the options within EPSILON of the best corrected utility.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain import Option, StrategyName
from bot.learning.experience import Judged, Way

Vector = NDArray[np.float64]

VERSION = 1
"""Of the form in which the state is kept; another one is made anew from the labels."""
CONTEXT = ("passage_similarity", "coverage", "example_similarity")
"""The evidence that a correction may depend on."""
EPSILON = 0.03
"""How much utility a try may cost at most, as far as is known."""
EVEN = 0.1
"""The share of tries that goes evenly to all near options, so that no propensity is too small to weigh by."""
PRIOR_SPREAD = 0.15
"""How far the estimates are taken to be off, as a standard deviation of quality, before a label says so."""
NOISE = 0.5
"""Standard deviation of one thumb around the true quality: that of a coin that is as likely up as down."""
DRAWS = 256
_JITTER = 1e-10  # two options that nothing tells apart would make the covariance singular

_STRATEGIES = tuple(StrategyName)
_BLOCK = 2 + len(CONTEXT)
_SHARED = _BLOCK * len(_STRATEGIES)


@dataclass(frozen=True, slots=True)
class Pick:
    """The option to take, and all options with their chances."""

    option: Option
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Bandit:
    """What was learned: the Gaussian posterior of the correction's weights, as precision matrix and its product with
    the mean. `ways` have a weight of their own each, behind those that all ways of a strategy share."""

    ways: tuple[Way, ...]
    precision: Vector
    shift: Vector
    labels: int = 0

    @classmethod
    def fresh(cls) -> Bandit:
        """One that has seen nothing: the estimates hold."""
        return cls.learn(())

    @classmethod
    def learn(cls, judged: Iterable[Judged]) -> Bandit:
        """What these labels teach. Those whose numbers are not finite are passed over."""
        kept = [one for one in judged if _usable(one)]
        ways = tuple(dict.fromkeys(one.way for one in kept))
        size = _SHARED + len(ways)
        precision = np.eye(size) / PRIOR_SPREAD**2
        shift = np.zeros(size)
        if kept:
            x = np.vstack([_contexts(ways, [one.choice.option], one.choice.features) for one in kept])
            weights = np.array([one.weight for one in kept]) / NOISE**2
            off = np.array([one.value - one.choice.option.quality for one in kept])
            precision += (x * weights[:, None]).T @ x
            shift += x.T @ (weights * off)
        return cls(ways, precision, shift, len(kept))

    def corrections(self, options: Sequence[Option], features: Mapping[str, float]) -> Vector:
        """What is to be added to each option's estimated quality."""
        found: Vector = _contexts(self.ways, options, features) @ self._mean
        return found

    def chances(self, options: Sequence[Option], features: Mapping[str, float], rng: np.random.Generator) -> Vector:
        """How likely each option is to be taken; 0 for those that are not available or not near the best.

        Zeros alone where none is available.
        """
        found = np.zeros(len(options))
        usable = [place for place, option in enumerate(options) if option.available and np.isfinite(option.utility)]
        if not usable:
            return found
        x = _contexts(self.ways, [options[place] for place in usable], features)
        expected = np.array([options[place].utility for place in usable]) + x @ self._mean
        near = expected >= expected.max() - EPSILON
        places = np.array(usable)[near]
        if len(places) == 1:
            found[places] = 1.0
            return found
        # The uncertainty of a way that no label speaks of yet is the prior's.
        unknown = np.array([(options[p].strategy, options[p].model) not in self._places for p in places])
        root = self._half @ x[near].T
        covariance = root.T @ root + np.diag(unknown * PRIOR_SPREAD**2 + _JITTER)
        noise = rng.standard_normal((DRAWS, len(places))) @ np.linalg.cholesky(covariance).T
        drawn = expected[near] + noise
        won = np.bincount(drawn.argmax(axis=1), minlength=len(places)) / DRAWS
        found[places] = (1 - EVEN) * won + EVEN / len(places)
        return found

    def pick(self, options: Sequence[Option], features: Mapping[str, float], rng: np.random.Generator) -> Pick | None:
        """Draws one. The chances on the options are those that it was drawn with. None where none is available."""
        chances = self.chances(options, features, rng)
        if not chances.any():
            return None
        told = tuple(replace(option, chance=float(chance)) for option, chance in zip(options, chances, strict=True))
        return Pick(told[int(rng.choice(len(told), p=chances / chances.sum()))], told)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "context": list(CONTEXT),
            "ways": [[strategy.value, model] for strategy, model in self.ways],
            "precision": self.precision.tolist(),
            "shift": self.shift.tolist(),
            "labels": self.labels,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Bandit:
        """What `to_json` made plain. Raises ValueError or KeyError where it is not sound."""
        ways = tuple((StrategyName(strategy), str(model)) for strategy, model in plain["ways"])
        precision, shift = np.array(plain["precision"], dtype=float), np.array(plain["shift"], dtype=float)
        size = _SHARED + len(ways)
        if tuple(plain["context"]) != CONTEXT or precision.shape != (size, size) or shift.shape != (size,):
            raise ValueError("the state is of another context")
        found = cls(ways, precision, shift, int(plain["labels"]))
        if not np.isfinite(found._mean).all():
            raise ValueError("the state holds numbers that are not finite")
        return found

    @cached_property
    def _half(self) -> Vector:
        """L⁻¹ of precision = L Lᵀ, so that a context's variance is |L⁻¹ x|². The prior keeps it well conditioned.

        Raises ValueError (LinAlgError) where the precision is not positive definite.
        """
        return np.linalg.inv(np.linalg.cholesky(self.precision))

    @cached_property
    def _mean(self) -> Vector:
        found: Vector = self._half.T @ (self._half @ self.shift)
        return found

    @cached_property
    def _places(self) -> dict[Way, int]:
        return {way: _SHARED + place for place, way in enumerate(self.ways)}


def _contexts(ways: Sequence[Way], options: Sequence[Option], features: Mapping[str, float]) -> Vector:
    """A row for each option: in its strategy's block a constant, the estimate and the evidence (all around 0), and
    the constant of its way."""
    places = {way: _SHARED + place for place, way in enumerate(ways)}
    table = np.zeros((len(options), _SHARED + len(ways)))
    evidence = [_centred(features.get(name, 0.5)) for name in CONTEXT]
    for row, option in enumerate(options):
        start = _STRATEGIES.index(option.strategy) * _BLOCK
        table[row, start : start + _BLOCK] = (1.0, _centred(option.quality), *evidence)
        if place := places.get((option.strategy, option.model)):
            table[row, place] = 1.0
    return table


def _centred(value: float) -> float:
    return min(max(value, 0.0), 1.0) - 0.5 if np.isfinite(value) else 0.0


def _usable(one: Judged) -> bool:
    return one.weight > 0 and all(map(np.isfinite, (one.weight, one.value, one.choice.option.quality)))
