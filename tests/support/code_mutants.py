"""Small mistakes put into functions that are loaded already: one operator, condition, constant or call at a time."""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import os
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.LtE: ast.GtE,
    ast.GtE: ast.Lt,
}
_SWAPPED = {
    "of_guest": "of_person",
    "outsiders": "of_channel",
    "OUTSIDERS": "EVERYONE",
    "intersection": "union",
    "isdisjoint": "issubset",
    "issuperset": "isdisjoint",
}


@dataclass(frozen=True)
class Mutant:
    """A function (`module:Class.name`) with one mistake, in words; `place` numbers the mistakes of the function, `line`
    is the one of its file."""

    target: str
    place: int
    what: str
    line: int

    @property
    def name(self) -> str:
        """How it is named in a report."""
        return f"{self.target}#{self.place}: {self.what}"

    @property
    def where(self) -> str:
        """File, line and what stands there."""
        file = inspect.getsourcefile(_function(self.target)) or ""
        return f"{os.path.relpath(file)}:{self.line}: {linecache.getline(file, self.line).strip()}"


def mutants(target: str) -> list[Mutant]:
    """All mistakes that can be made in one function."""
    function = _function(target)
    first = inspect.getsourcelines(function)[1]
    made = enumerate(_mistakes(_tree(function)))
    return [Mutant(target, place, what, first + line - 1) for place, (_, what, line) in made]


@contextmanager
def put_in(mutant: Mutant) -> Iterator[None]:
    """Puts the mistake into the function of this process, and takes it out again."""
    function = _function(mutant.target)
    right = function.__code__
    tree = next(made for place, (made, *_) in enumerate(_mistakes(_tree(function))) if place == mutant.place)
    module = ast.fix_missing_locations(ast.Module([tree], []))
    code = compile(module, f"<{mutant.name}>", "exec", flags=_flags(function), dont_inherit=True)
    wrong = next(each for each in code.co_consts if isinstance(each, types.CodeType) and each.co_name == right.co_name)
    function.__code__ = wrong
    try:
        yield
    finally:
        function.__code__ = right


def _flags(function: Any) -> int:
    return int(function.__code__.co_flags & 0x1000000)  # from __future__ import annotations


def _function(target: str) -> Any:
    module, _, path = target.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    return found.__func__ if isinstance(found, (classmethod, staticmethod)) else found


def _tree(function: Any) -> ast.stmt:
    source = inspect.getsource(function)
    tree = ast.parse(inspect.cleandoc("\n" + source) if not source[0].isspace() else _dedented(source)).body[0]
    assert isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef))
    tree.decorator_list = []
    return tree


def _dedented(source: str) -> str:
    lines = source.splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)


def _mistakes(tree: ast.stmt) -> Iterator[tuple[ast.stmt, str, int]]:
    """Copies of the function, each with one mistake, and the line of that."""
    for number, node in enumerate(ast.walk(tree)):
        for replacement, what in _of(node):
            changed = copy.deepcopy(tree)
            there = [*ast.walk(changed)][number]
            there.__class__ = replacement.__class__
            there.__dict__.clear()
            there.__dict__.update(copy.deepcopy(replacement).__dict__)
            there = node.target if isinstance(node, ast.comprehension) else node
            yield changed, what, int(getattr(there, "lineno", 0))


def _of(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    line = ast.unparse(node)[:80].replace("\n", " ") if isinstance(node, (ast.expr, ast.stmt)) else ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        other = _COMPARED[type(node.ops[0])]()
        yield ast.Compare(node.left, [other], node.comparators), f"{line} → {type(other).__name__}"
    if isinstance(node, ast.BoolOp):
        other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other_op, node.values), f"{line} → {type(other_op).__name__.lower()}"
        for place in range(len(node.values)):
            left = [value for number, value in enumerate(node.values) if number != place]
            yield (left[0] if len(left) == 1 else ast.BoolOp(node.op, left)), f"{line} without its part {place + 1}"
    if isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            changed: Any = copy.copy(node)
            changed.test = ast.Constant(value)
            yield changed, f"if {ast.unparse(node.test)[:60]} → {value}"
    if isinstance(node, ast.comprehension) and node.ifs:
        yield ast.comprehension(node.target, node.iter, node.ifs[1:], node.is_async), "a filter dropped"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand, f"{line} without not"
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        other_bin = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
        yield ast.BinOp(node.left, other_bin, node.right), f"{line} → {type(other_bin).__name__}"
    if isinstance(node, ast.Attribute) and node.attr in _SWAPPED:
        yield ast.Attribute(node.value, _SWAPPED[node.attr], node.ctx), f"{line} → {_SWAPPED[node.attr]}"
    if isinstance(node, ast.Name) and node.id == "MINUTE":
        yield ast.Constant(600.0), "MINUTE → ten minutes"
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await)):
        yield ast.Pass(), f"without {line}"
