"""Builds the ONNX graph of a BERT sentence encoder from its weights: token ids in, unit vectors out.

Weights are int8 with one scale for each output channel, activations are quantised as they come; the embedding table is
int8 with one scale for each row. The float32 build of the same graph is what the int8 build is held against.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from knowledge.documents import Vector
from knowledge.embedding.words import AXES, axes

LAYERS = 6
HEADS = 12
WIDTH = 384
EPSILON = 1e-12
# One bit less than int8 holds: processors without VNNI add two products in 16 bits, which would overflow at 127.
INT8_LIMIT = 63
_CONTRIB = "com.microsoft"


def build_graph(tensors: dict[str, Vector], *, quantised: bool) -> onnx.ModelProto:
    """The encoder with mean pooling and normalisation.

    Inputs `ids` and `mask`, int64 of shape (batch, tokens); outputs `vectors`, float32 of shape (batch, 384), and
    `tokens`, those before the mean on the axes that are kept of them: float32 of shape (batch, tokens, 128).
    """
    builder = _Builder(tensors, quantised)
    builder.embeddings()
    for layer in range(LAYERS):
        builder.layer(f"encoder.layer.{layer}.")
    builder.pooling()
    graph = helper.make_graph(
        builder.nodes,
        "minilm",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("ids", "mask")],
        [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH]),
            helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["batch", "tokens", AXES]),
        ],
        builder.constants,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def quantise_columns(weight: Vector) -> tuple[NDArray[np.int8], Vector]:
    """`weight` as int8 and one scale for each column, so that `weight ≈ int8 · scale`."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-12) / INT8_LIMIT
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


@dataclass
class _Builder:
    tensors: dict[str, Vector]
    quantised: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    hidden: str = ""

    def embeddings(self) -> None:
        """Word, position and token type (always 0, so folded into the positions), normalised."""
        positions = self.tensors["embeddings.position_embeddings.weight"]
        positions = positions + self.tensors["embeddings.token_type_embeddings.weight"][0]
        self.node("Shape", ["ids"], "tokens_shape", start=1, end=2)
        starts, axes = self.ints("zero", [0]), self.ints("axis_rows", [0])
        self.node("Slice", [self.constant("positions", positions), starts, "tokens_shape", axes], "place")
        self.node("Add", [self.words(), "place"], "embedded")
        names = [self.tensor(f"embeddings.LayerNorm.{part}") for part in ("weight", "bias")]
        self.hidden = self.node("LayerNormalization", ["embedded", *names], "hidden", epsilon=EPSILON, axis=-1)

    def words(self) -> str:
        table = self.tensors["embeddings.word_embeddings.weight"]
        if not self.quantised:
            return self.node("Gather", [self.constant("table", table), "ids"], "words")
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
        rounded = np.rint(table / scale).astype(np.int8)
        self.node("Gather", [self.constant("table", rounded), "ids"], "rows")
        self.node("Cast", ["rows"], "rows_float", to=TensorProto.FLOAT)
        self.node("Gather", [self.constant("table_scale", scale.astype(np.float32)), "ids"], "row_scale")
        return self.node("Mul", ["rows_float", "row_scale"], "words")

    def layer(self, at: str) -> None:
        parts = [at + f"attention.self.{name}" for name in ("query", "key", "value")]
        weight = np.concatenate([self.tensors[f"{part}.weight"] for part in parts])
        bias = np.concatenate([self.tensors[f"{part}.bias"] for part in parts])
        together = self.linear(at + "qkv", self.hidden, weight, bias)
        split = [at + name for name in ("q", "k", "v")]
        self.nodes.append(helper.make_node("Split", [together, self.ints(at + "sizes", [WIDTH] * 3)], split, axis=-1))
        attended = self.contrib("MultiHeadAttention", [*split, "", "mask32"], at + "attended", num_heads=HEADS)
        self.hidden = self.joined(at + "attention.output.", attended)
        inner = self.dense(at + "intermediate.dense", self.hidden, bias=False)
        bias_name = self.tensor(at + "intermediate.dense.bias")
        self.hidden = self.joined(at + "output.", self.contrib("BiasGelu", [inner, bias_name], at + "gelu"))

    def joined(self, at: str, source: str) -> str:
        """The dense layer at `at`, added to what went in before it, normalised."""
        out = self.dense(at + "dense", source, bias=False)
        names = [self.tensor(at + part) for part in ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")]
        return self.contrib("SkipLayerNormalization", [out, self.hidden, *names], at + "normalised", epsilon=EPSILON)

    def dense(self, at: str, source: str, *, bias: bool) -> str:
        return self.linear(at, source, self.tensors[f"{at}.weight"], self.tensors[f"{at}.bias"] if bias else None)

    def linear(self, name: str, source: str, weight: Vector, bias: Vector | None) -> str:
        columns = np.ascontiguousarray(weight.T)
        biases = [] if bias is None else [self.constant(f"{name}.b", bias)]
        if self.quantised:
            rounded, scale = quantise_columns(columns)
            inputs = [source, self.constant(f"{name}.w", rounded), self.constant(f"{name}.s", scale)]
            zero = self.constant(f"{name}.z", np.zeros(scale.shape, np.int8))
            return self.contrib("DynamicQuantizeMatMul", [*inputs, zero, *biases], f"{name}.out")
        product = self.node("MatMul", [source, self.constant(f"{name}.w", columns)], f"{name}.product")
        return self.node("Add", [product, *biases], f"{name}.out") if biases else product

    def pooling(self) -> None:
        """The mean over the tokens that the mask keeps, at unit length."""
        self.node("MatMul", [self.hidden, self.constant("word_axes", axes())], "tokens")
        self.node("Cast", ["mask"], "mask_float", to=TensorProto.FLOAT)
        self.node("Unsqueeze", ["mask_float", self.ints("last", [-1])], "weights")
        self.node("Mul", [self.hidden, "weights"], "kept")
        self.node("ReduceSum", ["kept", self.ints("axis_tokens", [1])], "sum", keepdims=0)
        self.node("LpNormalization", ["sum"], "vectors", axis=-1, p=2)
        cast = helper.make_node("Cast", ["mask"], ["mask32"], to=TensorProto.INT32)
        self.nodes.insert(0, cast)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def contrib(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        return self.node(kind, inputs, output, domain=_CONTRIB, **attributes)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def tensor(self, name: str) -> str:
        return self.constant(name, self.tensors[name])

    def ints(self, name: str, values: list[int]) -> str:
        return self.constant(name, np.asarray(values, np.int64))
