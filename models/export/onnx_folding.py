"""Constant folding of ONNX graphs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def folded(proto: "ModelProto") -> "ModelProto":
    """Return the ONNX model with every node that depends on no input replaced by its value.

    The exporter writes a dozen such nodes per padding.
    """
    from onnx import helper, numpy_helper  # noqa: PLC0415
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    graph = proto.graph
    known = {tensor.name for tensor in graph.initializer}
    fixed: list[NodeProto] = []
    live: list[NodeProto] = []
    for node in graph.node:
        constant = known.issuperset(node.input)
        (fixed if constant else live).append(node)
        known.update(node.output if constant else ())
    wanted = {name for node in live for name in node.input}
    made = sorted(wanted.intersection(name for node in fixed for name in node.output))
    values = [helper.make_tensor_value_info(name, 0, None) for name in made]
    constants = helper.make_model(
        helper.make_graph(fixed, "constants", [], values, graph.initializer), opset_imports=proto.opset_import
    )
    results = ReferenceEvaluator(constants).run(made, {})
    kept = [tensor for tensor in graph.initializer if tensor.name in wanted]
    kept += [numpy_helper.from_array(value, name) for name, value in zip(made, results, strict=True)]
    whole = helper.make_graph(live, graph.name, graph.input, graph.output, kept)
    return helper.make_model(whole, opset_imports=proto.opset_import, ir_version=proto.ir_version)
