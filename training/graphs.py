"""ONNX graphs made smaller and faster, without changing what they compute.

Found with openvino's and onnxruntime's profilers: a bilinear `Resize` cost a tenth of the whole graph where two small
matrix products cost a fortieth, and casts from float32 to float32 kept runtimes from fusing what stood around them.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LARGE = 20_000
"""Elements from which a kernel is stored in float16."""


def tidy(model: onnx.ModelProto) -> None:
    """Drops casts that cast nothing and moves constants among the weights, in place; for graphs of float32 alone."""
    graph = model.graph
    given = {output.name for output in graph.output}
    same: dict[str, str] = {}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = numpy_helper.from_array(numpy_helper.to_array(node.attribute[0].t), node.output[0])
            graph.initializer.append(tensor)
        elif node.op_type == "Cast" and node.output[0] not in given:
            same[node.output[0]] = node.input[0]
        elif node.op_type == "Cast":
            kept.append(helper.make_node("Identity", list(node.input), list(node.output), name=node.name))
        else:
            kept.append(node)
    for node in kept:
        for number, name in enumerate(node.input):
            while name in same:
                name = same[name]
            node.input[number] = name
    _replace(model, kept)


def enlarge_by_products(model: onnx.ModelProto, side: int) -> None:
    """Bilinear enlargement to twice the size, (N, C, side/2, side/2) → (N, C, side, side), as rows · x · columns."""
    weights = doubling(side // 2)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "Resize" or _text(node, "mode") != "linear":
            nodes.append(node)
            continue
        rows = numpy_helper.from_array(weights, f"{node.name}/rows")
        columns = numpy_helper.from_array(np.ascontiguousarray(weights.T), f"{node.name}/columns")
        model.graph.initializer.extend([rows, columns])
        wide = f"{node.name}/wide"
        nodes.append(helper.make_node("MatMul", [node.input[0], columns.name], [wide], name=wide))
        nodes.append(helper.make_node("MatMul", [rows.name, wide], list(node.output), name=f"{node.name}/tall"))
    _replace(model, nodes)


def doubling(length: int) -> NDArray[np.float32]:
    """(2·length, length) float32: what linear interpolation between centres of pixels does to a column of `length`."""
    at = np.clip((np.arange(2 * length) + 0.5) / 2 - 0.5, 0, length - 1)
    lower = np.floor(at).astype(np.intp)
    share = (at - lower).astype(np.float32)
    weights = np.zeros((2 * length, length), np.float32)
    every = np.arange(2 * length)
    np.add.at(weights, (every, lower), 1 - share)
    np.add.at(weights, (every, np.minimum(lower + 1, length - 1)), share)
    return weights


def halve(model: onnx.ModelProto) -> None:
    """Stores large kernels in float16, cast to float32 inside the graph: half the file; runtimes cast once, at start.

    The small ones, depthwise above all, stay: they are a twentieth of the file, and rounding them moved probabilities
    of real pictures by .014 where rounding all the others moves them by .001.
    """
    casts: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.size >= LARGE:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}/half"))
            casts.append(helper.make_node("Cast", [f"{name}/half"], [name], name=f"{name}/cast", to=TensorProto.FLOAT))
    _replace(model, [*casts, *model.graph.node])


def whole(model: onnx.ModelProto) -> None:
    """Undoes `halve`: the same values, stored in float32, as quantisation wants them."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            tensor = stored[node.input[0]]
            array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, node.output[0]))
        else:
            kept.append(node)
    _replace(model, kept)


def own_constants(model: onnx.ModelProto) -> None:
    """Gives each node constants of its own where the exporter let two share one through an `Identity`.

    onnxruntime's quantiser leaves such a bias in float32, and openvino then computes the whole convolution so: of the
    picture and its mirror image, one pass of two.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Identity" and node.input[0] in stored:
            copy = numpy_helper.from_array(numpy_helper.to_array(stored[node.input[0]]), node.output[0])
            model.graph.initializer.append(copy)
            stored[copy.name] = copy
        else:
            kept.append(node)
    _replace(model, kept)


def share_alike(model: onnx.ModelProto) -> None:
    """Stores constants of the same type, shape and bytes once."""
    first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    same: dict[str, str] = {}
    for tensor in model.graph.initializer:
        key = (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes())
        same[tensor.name] = first.setdefault(key, tensor.name)
    for node in model.graph.node:
        for number, name in enumerate(node.input):
            node.input[number] = same.get(name, name)
    _replace(model, list(model.graph.node))


def read_past_quantisation(model: onnx.ModelProto, exact: onnx.ModelProto) -> None:
    """Lets the graph's outputs read what was computed before it was rounded to eight bits for the next layer.

    exact: the same graph in float32. onnxruntime's quantiser drops a ReLU before rounding to numbers without sign,
    which cuts what is negative as well; an output that reads past the rounding needs it back.
    """
    made = {name: node for node in model.graph.node for name in node.output}
    before = {name: node for node in exact.graph.node for name in node.output}
    given = {output.name for output in model.graph.output}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        rounded = made.get(node.input[0]) if node.op_type == "Identity" and node.output[0] in given else None
        if rounded is not None and rounded.op_type == "DequantizeLinear":
            source = made[rounded.input[0]].input[0]
            last = before[before[node.output[0]].input[0]]
            if last.op_type == "Relu" and made[source].op_type != "Relu":
                back = f"{node.name}/relu"
                nodes.append(helper.make_node("Relu", [source], [back], name=back))
                source = back
            node.input[0] = source
        nodes.append(node)
    _replace(model, nodes)


def looks(model: onnx.ModelProto) -> int:
    """How often a file shows the network its picture: 2 where the mirror image is part of the graph, else 1."""
    return sum(node.op_type == "Conv" and "/head/" in node.name for node in model.graph.node)


def first_look(model: onnx.ModelProto) -> None:
    """Keeps, in place, only what a graph that also looks at the mirror image makes of the picture itself.

    The masks are then the picture's own, not their mean with the mirror image's; features were the picture's before.
    Raises ValueError for a graph that does not look twice.
    """
    if looks(model) != 2:
        raise ValueError("the graph does not look at the mirror image")
    turned = {node.input[0] for node in model.graph.node if node.op_type == "Slice"}
    (own,) = (node for node in model.graph.node if node.op_type == "Sigmoid" and node.output[0] not in turned)
    made = {name: node for node in model.graph.node for name in node.output}
    needed, waiting = {id(own)}, list(own.input)
    waiting += [output.name for output in model.graph.output if output.name != "masks"]
    while waiting:
        node = made.get(waiting.pop())
        if node is not None and id(node) not in needed:
            needed.add(id(node))
            waiting += node.input
    kept = [node for node in model.graph.node if id(node) in needed]
    own.output[0] = "masks"
    _replace(model, kept)


def _text(node: onnx.NodeProto, name: str) -> str:
    return next((attribute.s.decode() for attribute in node.attribute if attribute.name == name), "")


def _replace(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    read = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
