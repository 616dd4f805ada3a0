"""Exported networks: other runtimes give what PyTorch gives, for every size, and files say what they are."""

import functools
import io
import json
import sys
import zipfile

import pytest
import torch
from golden_inputs import weight

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, save_checkpoint
from models.export.onnx_and_pt2 import ExportError, difference, open_onnx, open_program, to_onnx, to_program
from models.invertible import Compose, Inverse
from models.layers import Haar
from models.weights.author_names import from_released, haar_entries, to_released
from utils import export
from utils.commandline.errors import BAD_INPUT

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SMALL = {"low_blocks": 1, "terms": 3}  # every part of the networks once or twice
BUILDERS = {
    "ps": lambda **size: dcinn_ps(3, **size),
    "ivf": lambda **size: dcinn_ivf("max", **size),
    "ivf_mean": lambda **size: dcinn_ivf("mean", **size),
    "hmf": lambda **size: dcinn_hmf(srf=spectral_response(), **size),
}
SIZES = ((1, 40, 48), (2, 33, 64), (3, 15, 17), (1, 21, 90), (1, 7, 30), (1, 5, 4), (1, 1, 1))
TOLERANCE = 1e-5  # of the largest value


def stirred(kind, **size):
    """A network with weights of trained size: a fresh one adds next to nothing."""
    model = BUILDERS[kind](**size)
    fixed = haar_entries(model.config)
    state = {n: fixed.get(n, torch.from_numpy(weight(n, v.shape))) for n, v in to_released(model).items()}
    model.load_state_dict(from_released(state, model))
    return model.eval()


def shortened():
    """Tracing takes a second for every few blocks: one block of ps, between the two directions of Haar."""
    model = stirred("ps", **SMALL)
    block_in = model.flow.block_in
    model.flow = Compose(haar_in=Haar(), haar_out=Inverse(Haar()), block_in=block_in)
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """exported("ps"): a network, and the .onnx file that the command makes of its weights; made once."""

    @functools.cache
    def make(kind):
        folder = tmp_path_factory.mktemp(kind)
        model = stirred(kind, **SMALL)
        save_checkpoint(folder / "w.pth", model)
        assert 0 <= export.run([str(folder / "w.pth"), str(folder / "x.onnx")]) < TOLERANCE
        assert sorted(p.name for p in folder.iterdir()) == ["w.pth", "x.onnx"]
        return model, (folder / "x.onnx").read_bytes()

    return make


def images(model, n, height, width):
    generator = torch.Generator().manual_seed(height)
    channels = (model.config.bands, model.config.guide_bands)
    return [torch.rand(n, c, height, width, generator=generator) for c in channels]


def assert_same(model, fuse, sizes=SIZES):
    for size in sizes:
        sources = images(model, *size)
        with torch.no_grad():
            expected, found = model(*sources), fuse(*sources)
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max(), size


@pytest.mark.parametrize("kind", ["ps", "ivf"])
def test_onnxruntime_gives_what_pytorch_gives(kind, exported):
    model, content = exported(kind)
    assert_same(model, open_onnx(content))


def test_a_program_saved_and_loaded():
    model = shortened()
    content = to_program(model)
    fuse = open_program(content)
    assert_same(model, fuse)
    assert_other_sides_are_refused(model, fuse)
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name.rpartition("/")[2]: file.read(name) for name in file.namelist()}
    assert json.loads(parts["dcinn.json"])["dcinn.inputs"] == "lms,pan"
    assert not any(b".py" in part for part in parts.values()), "a path of the machine that made the file"


def assert_other_sides_are_refused(model, fuse):
    (a, _), (_, b) = images(model, 1, 16, 16), images(model, 1, 16, 15)
    with pytest.raises(Exception, match=r"imension|size"):  # not padded to the same 16
        fuse(a, b)


def test_a_guide_of_other_sides_is_refused(exported):
    model, content = exported("ivf")
    assert_other_sides_are_refused(model, open_onnx(content))


@pytest.mark.parametrize(("kind", "names"), [("ps", ("lms", "pan")), ("ivf", ("visible", "infrared"))])
def test_the_onnx_file_says_what_it_is(kind, names, exported):
    model, content = exported(kind)
    proto = onnx.load_from_string(content)
    shapes = {
        v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in (*proto.graph.input, *proto.graph.output)
    }
    bands = model.config.bands
    assert shapes == {
        names[0]: ["batch", bands, "height", "width"],
        names[1]: ["batch", 1, "height", "width"],
        "fused": ["batch", bands, "height", "width"],
    }
    assert [(o.domain, o.version) for o in proto.opset_import] == [("", 18)]
    said = {p.key.removeprefix("dcinn."): p.value for p in proto.metadata_props}
    assert said["task"] == model.config.task
    assert said["bands"] == str(bands)
    assert said.get("base_rule") == model.config.base_rule
    assert said["inputs"] == ",".join(names)
    assert said["terms"] == "3"
    assert "[0, 1]" in said["range"]
    assert b".py" not in content, "a path of the machine that made the file"


def test_the_graph_is_the_plain_network(exported):
    """A fixed number of convolutions in each convolution exponential, and no scatter in the Haar synthesis."""
    _, content = exported("ivf")
    graph = onnx.load_from_string(content).graph
    kernels = {t.name for t in graph.initializer if list(t.dims[2:]) == [5, 5]}
    blocks = 5
    assert len(kernels) == blocks
    assert sum(node.op_type == "Conv" and node.input[1] in kernels for node in graph.node) == 3 * blocks
    assert not {"ScatterND", "If", "Loop"} & {node.op_type for node in graph.node}


def test_a_graph_that_differs_is_not_passed():
    model, size = stirred("ps", **SMALL), [(1, 9, 12)]
    assert difference(model, model, size) == 0
    with pytest.raises(ExportError, match="found a difference of 1e-05"):
        difference(model, lambda a, b: model(a, b).detach() + 1e-5 * model(a, b).detach().abs().max(), size)
    with pytest.raises(ExportError, match=r"found \(1, 3, 9, 11\)"):
        difference(model, lambda a, b: model(a, b)[..., :-1], size)


def test_exporting_leaves_the_network_alone():
    model = shortened().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    to_onnx(model)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_without_onnxruntime_the_file_is_written_and_said_to_be_unchecked(tmp_path, monkeypatch, capsys):
    save_checkpoint(tmp_path / "w.pth", dcinn_ps(3, **SMALL))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(export, "to_onnx", lambda model: b"graph")
    assert export.run([str(tmp_path / "w.pth"), str(tmp_path / "x.onnx")]) is None
    assert (tmp_path / "x.onnx").read_bytes() == b"graph"
    assert "not checked: onnxruntime is not installed" in capsys.readouterr().out


def test_terms_replace_those_of_the_file(tmp_path):
    model = stirred("ps", **SMALL)
    model.exact = True
    save_checkpoint(tmp_path / "w.pth", model)
    fixed = export.network(str(tmp_path / "w.pth"), None, None, None, 3)
    assert (fixed.exact, fixed.config.terms, fixed.training) == (False, 3, False)
    model.exact = False
    sources = images(model, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(fixed(*sources), model(*sources))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("{}/none.pth", "{}/x.onnx"), "found no such file"),
        (("{}/w.pth", "{}/x.onnx", "--task", "ivf"), "found a network for ps, expected one for ivf"),
        (("{}/w.pth", "{}/x.onnx", "--bands", "8"), "found a network of 3 bands, expected 8"),
        (("{}/w.pth", "{}/x.onnx", "--base-rule", "max"), "--base-rule: found for a network of ps"),
        (("{}/w.pth", "{}/x.onnx", "--terms", "101"), "--terms: terms of ps: found 101"),
        (("{}/exact.pth", "{}/x.pt2"), "expected a fixed number (--terms)"),
        (("{}/theirs.pth", "{}/x.pt2"), "give base_rule"),
        (("{}/w.pth", "{}/x.onnxx"), "expected .onnx or .pt2"),
        (("{}/w.pth", "{}/w.onnx"), "expected a new file"),
        (("{}/w.pth", "{}/no/x.onnx"), "found no such folder"),
        (("{}/w.pth", "{}/x.onnx"), "found no package onnx, expected it: pip install onnx"),
    ],
)
def test_what_cannot_be_exported_is_one_line(options, words, tmp_path, monkeypatch, capsys):
    model = dcinn_ps(3, **SMALL)
    save_checkpoint(tmp_path / "w.pth", model)
    model.exact = True
    save_checkpoint(tmp_path / "exact.pth", model)
    torch.save(to_released(dcinn_ivf("max", low_blocks=1)), tmp_path / "theirs.pth")
    (tmp_path / "w.onnx").write_bytes(b"mine")
    before = sorted(tmp_path.iterdir())
    if "no package" in words:
        monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SystemExit) as stop:
        export.main([option.format(tmp_path) for option in options])
    said = capsys.readouterr()
    assert stop.value.code == BAD_INPUT
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("python -m utils.export: ")
    assert words in said.err
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "w.onnx").read_bytes() == b"mine"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ps", "ivf_mean", "hmf"])
def test_whole_networks(kind, tmp_path):
    """Ten terms and as many blocks as released, by the command."""
    model = stirred(kind)
    save_checkpoint(tmp_path / "w.pth", model)
    for suffix, opened in ((".onnx", open_onnx), (".pt2", open_program)):
        assert export.run([str(tmp_path / "w.pth"), str(tmp_path / f"x{suffix}")]) < TOLERANCE
        assert_same(model, opened((tmp_path / f"x{suffix}").read_bytes()))
