"""A network as one ONNX graph, see `make_graph`."""

from __future__ import annotations

import io
import warnings
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..network.checkpoint import Model
from ..preprocessing.statistics import Statistics
from ..version import __version__
from .graph import Figures, HostBlock

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

OPSET = 17
TRACED_IMAGES, TRACED_HEIGHT, TRACED_WIDTH = 2, 40, 36  # of what a graph is recorded with
GRAPH_MAPS = ("image", "reflectance", "illumination")  # (N, colours, H, W)
GIVEN_STATISTICS, USED_STATISTICS = "statistics", "statistics_used"
INPUTS = ("image", GIVEN_STATISTICS, "noise")
STATISTICS_COUNT = len(Statistics._fields)
INSIDE = "inside."  # begins the names of what finds the statistics


def make_graph(model: Model, colours: int, given: bool = True) -> bytes:
    """The graph of a model, checked by `onnx`, as the content of a file.

    Inputs, all of float32:

    - ``image``, (N, colours, H, W), normalised by the levels.
    - ``statistics``, (N, 12), of the whole images that these are tiles of; or (0, 12), and they
      are found in the graph, from the images as they are.
    - ``noise``, (N, 4), of models that know it: shot, floor, grain and soft.

    Outputs: ``reflectance`` and ``illumination``, of the image's shape, and ``statistics_used``,
    (N, 12). Where `given` is not set, there is nothing of the statistics in and out. The metadata
    say the model, and for tiles their halo in pixels and the grid that they begin on.
    """
    import onnx

    image = _traced_images(colours)
    inputs = {"image": image, USED_STATISTICS: Figures()(image)}
    if model.network.config.knows_noise:
        inputs["noise"] = torch.tensor([[1e-3, 1e-4, 1.0, 0.5]]).repeat(TRACED_IMAGES, 1)
    block = HostBlock(model.network, colours)
    graph = _recorded(block, inputs, ("reflectance", "illumination"))
    _join(graph.graph, _statistics_graph(colours), given)
    graph.graph.name = model.name
    graph.producer_name, graph.producer_version = "napari-lle", __version__
    about = {"model": model.name, "digest": model.digest}
    tiles = {"halo": str(model.network.radius), "grid": str(model.network.grid)}
    onnx.helper.set_model_props(graph, {**about, **tiles})
    onnx.checker.check_model(graph, full_check=True)
    return graph.SerializeToString()


def _traced_images(colours: int) -> Tensor:
    """Images that a graph is recorded with."""
    shape = TRACED_IMAGES, colours, TRACED_HEIGHT, TRACED_WIDTH
    return torch.linspace(0, 0.2, prod(shape)).reshape(shape)


@cache
def _statistics_graph(colours: int) -> GraphProto:
    """What finds the statistics: the same of all models, and longer to record than a network."""
    return _recorded(Figures(), {"image": _traced_images(colours)}, (USED_STATISTICS,)).graph


def _recorded(module: nn.Module, inputs: dict[str, Tensor], outputs: tuple[str, ...]) -> ModelProto:
    """The graph of a module, of any number of images and any size.

    By the older of torch's two exporters, which takes a second where the newer takes from 20
    (photo) to 190 (science).
    """
    import onnx

    axes = {
        name: {0: "images", **({2: "height", 3: "width"} if name in GRAPH_MAPS else {})}
        for name in (*inputs, *outputs)
    }
    file: Any = io.BytesIO()
    exporter: Any = torch.onnx
    exporter.register_custom_op_symbolic("aten::exp2", _exp2, OPSET)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is old, and says so; extents are tensors already
            exporter.export(
                module.eval(),
                tuple(inputs.values()),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
            )
    finally:
        exporter.unregister_custom_op_symbolic("aten::exp2", OPSET)
    return onnx.load_from_string(file.getvalue())


def _exp2(graph: Any, power: Any) -> Any:
    """A power of two, which the exporter does not know."""
    return graph.op("Pow", graph.op("Constant", value_t=torch.tensor(2.0)), power)


def _join(graph: GraphProto, figures: GraphProto, given: bool) -> None:
    """Let the statistics come from `figures` or, where they are given, from an input."""
    from onnx import TensorProto, compose, helper

    figures = compose.add_prefix_graph(figures, INSIDE, rename_inputs=False)
    inputs = {each.name: each for each in graph.input}
    del inputs[USED_STATISTICS]
    if given:
        inputs[GIVEN_STATISTICS] = helper.make_tensor_value_info(
            GIVEN_STATISTICS, TensorProto.FLOAT, ["rows", STATISTICS_COUNT]
        )
        used = helper.make_tensor_value_info(
            USED_STATISTICS, TensorProto.FLOAT, ["images", STATISTICS_COUNT]
        )
        graph.output.append(used)
        before = _chosen(figures)
    else:
        graph.initializer.extend(figures.initializer)
        before = [
            *figures.node,
            helper.make_node("Identity", [figures.output[0].name], [USED_STATISTICS]),
        ]
    _replace(graph.input, [inputs[name] for name in INPUTS if name in inputs])
    _replace(graph.node, [*before, *graph.node])


def _chosen(figures: GraphProto) -> list[NodeProto]:
    """Nodes that take the statistics that are given, or find them where none are."""
    from onnx import TensorProto, helper, numpy_helper

    del figures.input[:]  # as a branch it sees the image around it
    out = helper.make_tensor_value_info("taken", TensorProto.FLOAT, ["rows", STATISTICS_COUNT])
    taken = helper.make_graph(
        [helper.make_node("Identity", [GIVEN_STATISTICS], ["taken"])], "given", [], [out]
    )
    none = numpy_helper.from_array(np.array(0))
    return [
        helper.make_node("Constant", [], ["zero"], value=none),
        helper.make_node("Size", [GIVEN_STATISTICS], ["count"]),
        helper.make_node("Equal", ["count", "zero"], ["none_given"]),
        helper.make_node(
            "If", ["none_given"], [USED_STATISTICS], then_branch=figures, else_branch=taken
        ),
    ]


def _replace(field: Any, values: list[Any]) -> None:
    """Put other values into a repeated field of a message."""
    del field[:]
    field.extend(values)
