"""What the scripts write and print, worked out a second time by hand from the same files."""

import cv2
import numpy as np
import pytest
import scipy.io
import torch
from skimage.metrics import structural_similarity
from torch.nn import functional

import test_dcinn_hmf
import test_dcinn_ivf_tno
import test_dcinn_ps
from data.simulate import degrade_hsi, imresize, interp23, spectral_response, wald
from metrics import d_lambda, d_lambda_k, d_s, ergas, mef_ssim, mi, psnr, q2n, qabf, qnr, released, sam, scc, ssim
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, save_checkpoint
from models.convexp import ConvExp
from models.layers import Subnet
from utils.evaluation import pick_network
from utils.evaluation.parser import evaluation_parser
from utils.evaluation.pick_network import pick_model
from utils.tiling import fuse

RNG = np.random.default_rng(5)


def stirred(model):
    """A network that is no longer symmetric in its sources, as a fresh one nearly is."""
    torch.manual_seed(1)
    for module in model.modules():
        if isinstance(module, Subnet):
            module.conv_out.weight.data.normal_(0, 0.05)
        if isinstance(module, ConvExp):
            # No stronger than trained kernels: an operator norm of 1.6 at most.
            module.kernel.data.normal_(0, min(0.02, 0.8 / module.kernel[0].numel() ** 0.5))
    return model.eval()


def saved(model, tmp_path):
    save_checkpoint(tmp_path / "w.pth", model)
    return str(tmp_path / "w.pth")


def smooth(*shape):
    """Random but smooth, in [0, 1]."""
    coarse = torch.from_numpy(RNG.random((1, *shape[:-2], 5, 5)))
    return functional.interpolate(coarse.view(1, -1, 5, 5), size=shape[-2:], mode="bicubic")[0].clamp(0, 1).numpy()


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]


@torch.no_grad()
@pytest.mark.parametrize("tile", [0, 48])
def test_ivf(tile, tmp_path):
    visible, infrared = (np.rint(smooth(1, 64, 80)[0] * 255).astype(np.uint8) for _ in range(2))
    for kind, image in (("vi", visible), ("ir", infrared)):
        (tmp_path / kind).mkdir()
        for name in "ab":
            cv2.imwrite(str(tmp_path / kind / f"{name}.png"), image)
    model = stirred(dcinn_ivf("max"))
    options = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--weights", saved(model, tmp_path)]
    result = test_dcinn_ivf_tno.main([*options, "--limit", "1", "--tile", str(tile)])
    fused = fuse(model, tensor(visible[None] / 255), tensor(infrared[None] / 255), tile=tile, scene=True)[0, 0].numpy()
    written = cv2.imread(str(tmp_path / "out/fused/a.png"), cv2.IMREAD_UNCHANGED)
    assert np.abs(written - fused.clip(0, 1) * 255).max() < 0.51
    swapped = model(tensor(infrared[None] / 255), tensor(visible[None] / 255))[0, 0].numpy()
    assert np.abs(fused - swapped).max() > 0.02, "this network can tell its sources apart"
    paper, table = result["tables"]
    assert table["images"] == paper["images"] == ["a"]
    a, b = visible.astype(float), infrared.astype(float)
    expected = {
        "DCINN (w)": written.astype(float),
        "mean of the two": np.floor((a + b) / 2 + 0.5),
        "max of the two": np.maximum(a, b),
    }
    for method, image in expected.items():
        values = table["values"][method]
        assert values["SD"] == [pytest.approx(image.std())]
        assert values["MI"] == [pytest.approx(mi(image, infrared, visible))]
        assert values["Qabf"] == [pytest.approx(qabf(image, infrared, visible))]
        assert paper["values"][method]["MEF-SSIM"] == [pytest.approx(mef_ssim(image, infrared, visible))]
        assert paper["values"][method]["SD*"] == [
            pytest.approx(np.sqrt(((image / 255 - image.mean() / 255) ** 2).sum()))
        ]


@torch.no_grad()
@pytest.mark.parametrize("ratio", [4, 8])
def test_hmf(ratio, tmp_path):
    cube = np.rint((0.1 + 0.8 * smooth(31, 32, 48)) * 65535).astype(np.uint16)
    for scene in ("one", "two"):
        (tmp_path / "cave" / scene).mkdir(parents=True)
        for i, band in enumerate(cube, 1):
            cv2.imwrite(str(tmp_path / "cave" / scene / f"{i:02d}.png"), band)
    response = np.roll(spectral_response(), 3, axis=0)[:, [1, 0, 2]]
    np.savetxt(tmp_path / "srf.csv", response, delimiter=",")
    model = stirred(dcinn_hmf(31, srf=response))
    options = ["--data", str(tmp_path / "cave"), "--output", str(tmp_path / "out"), "--weights", saved(model, tmp_path)]
    options += ["--srf", str(tmp_path / "srf.csv"), "--ratio", str(ratio), "--limit", "1", "--tile", "32"]
    options += ["--pooling", "tile"] if ratio == 8 else []
    table = test_dcinn_hmf.main(options)["tables"][0]
    gt = np.moveaxis(cube / 65535, 0, -1)
    low = degrade_hsi(gt, ratio)
    up = functional.interpolate(tensor(np.moveaxis(low, -1, 0)), scale_factor=ratio, mode="bilinear")
    rgb = tensor(np.moveaxis(gt @ response, -1, 0))
    fused = fuse(model, up, rgb, tile=32, scene=ratio == 4)[0].permute(1, 2, 0).numpy()
    written = scipy.io.loadmat(tmp_path / "out/fused/one.mat")["fused"]
    assert np.abs(written / 65535 - fused).max() < 1e-4
    assert table["images"] == ["one"]
    images = {"DCINN (w)": fused, "bicubic": imresize(low, ratio), "bilinear": imresize(low, ratio, "bilinear")}
    for method, image in images.items():
        values = {name: v[0] for name, v in table["values"][method].items()}
        assert values["PSNR"] == pytest.approx(psnr(image, gt), abs=1e-3)
        assert values["SAM"] == pytest.approx(sam(image, gt), rel=1e-3)
        assert values["ERGAS"] == pytest.approx(ergas(image, gt, ratio=ratio), rel=1e-3)
    assert structural_similarity(fused, gt, channel_axis=2, data_range=1) == pytest.approx(
        table["values"]["DCINN (w)"]["SSIM"][0], abs=1e-3
    )


@torch.no_grad()
def test_ps(tmp_path):
    ms, pan = (np.rint(smooth(*shape) * 1800 + 100) for shape in ((8, 32, 32), (1, 128, 128)))
    arrays = {"I_MS": np.moveaxis(ms, 0, -1).astype(np.uint16), "I_PAN": pan[0].astype(np.uint16), "sensor": "WV2"}
    scipy.io.savemat(tmp_path / "s.mat", arrays)
    model = stirred(dcinn_ps(8))
    options = [
        "--data",
        str(tmp_path / "s.mat"),
        "--output",
        str(tmp_path / "out"),
        "--weights",
        saved(model, tmp_path),
    ]
    tables = {t["task"]: t["values"] for t in test_dcinn_ps.main([*options, "--tile", "64"])["tables"]}
    ms, pan = np.moveaxis(ms, 0, -1) / 2047, pan[0] / 2047

    lms = interp23(ms)
    up, guide = tensor(np.moveaxis(lms, -1, 0)), tensor(pan[None])
    fused = fuse(model, up, guide, tile=64, scene=True)[0].permute(1, 2, 0).numpy()
    assert np.abs(scipy.io.loadmat(tmp_path / "out/full/s.mat")["fused"] / 2047 - fused).max() < 1e-4
    ours, exp = tables["ps_full"]["DCINN (w)"], tables["ps_full"]["EXP (lms)"]
    assert ours["D_lambda"][0] == pytest.approx(d_lambda(fused, lms), abs=1e-3)
    assert ours["QNR"][0] == pytest.approx(qnr(fused, lms, pan), abs=1e-3)
    assert exp["QNR"][0] == pytest.approx(qnr(lms, lms, pan), abs=1e-3)

    low = wald(ms, pan, sensor="WV2")
    fused = fuse(model, tensor(np.moveaxis(low["lms"], -1, 0)), tensor(low["pan"][None]))[0].permute(1, 2, 0).numpy()
    assert np.abs(scipy.io.loadmat(tmp_path / "out/reduced/s.mat")["fused"] / 2047 - fused).max() < 1e-4
    for method, image in (("DCINN (w)", fused), ("EXP (lms)", low["lms"])):
        values = tables["ps_reduced"][method]
        assert values["SAM"][0] == pytest.approx(sam(image, ms), rel=1e-3)
        assert values["ERGAS"][0] == pytest.approx(ergas(image, ms, ratio=4), rel=1e-3)
        assert values["PSNR"][0] == pytest.approx(psnr(image, ms), abs=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("protocol", ["toolbox", "whole", "released"])
def test_ps_protocols(protocol, tmp_path):
    """A file with a reference, 10 bits: Q2n in digital numbers, the border cut as default, the authors' own four."""
    gt = np.rint(smooth(4, 96, 100) * 900 + 50)
    arrays = {
        "gt": gt,
        "lms": np.rint(gt + RNG.normal(0, 20, gt.shape)).clip(0, 1023),
        "pan": gt.mean(0, keepdims=True),
    }
    scipy.io.savemat(tmp_path / "gf2_x.mat", {k: v[None] for k, v in arrays.items()})
    options = ["--data", str(tmp_path / "gf2_x.mat"), "--output", str(tmp_path / "out")]
    options += ["--weights", saved(stirred(dcinn_ps(4)), tmp_path), "--sensor", "GF2"]
    options += [] if protocol == "toolbox" else ["--protocol", protocol]
    result = test_dcinn_ps.main(options)["tables"]
    assert [t["protocol"] for t in result] == [protocol]
    fused = scipy.io.loadmat(tmp_path / "out/reduced/gf2_x_0000.mat")["fused"].astype(np.float64)
    lms, gt = (np.moveaxis(np.float64(arrays[k]), 0, -1) for k in ("lms", "gt"))
    for method, image in (("DCINN (w)", fused), ("EXP (lms)", lms)):
        found = {m: v[0] for m, v in result[0]["values"][method].items()}
        a, b = image, gt
        if protocol == "toolbox":
            a, b = a[20:75, 20:79], b[20:75, 20:79]
        if protocol == "released":
            a, b = a / 1023, b / 1023
            expected = {"PSNR": released.psnr(a, b), "SSIM": released.ssim(a, b), "SAM": released.sam(a, b)}
            expected["ERGAS"] = released.ergas(b, a)
        else:
            expected = {"SAM": sam(a, b), "ERGAS": ergas(a, b, ratio=4), "Q2n": q2n(a, b), "SCC": scc(a, b)}
            expected |= {"PSNR": psnr(a, b, peak=1023), "SSIM": ssim(a, b, data_range=1023)}
        assert found == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_ps_full_resolution_columns(tmp_path):
    """70 x 64 pixels: the top left 64 x 64 of them; the sensor's MTF in Khan's distortion."""
    ms, pan = (np.rint(smooth(*shape) * 1800 + 100) for shape in ((4, 18, 16), (1, 72, 64)))
    scipy.io.savemat(tmp_path / "s.mat", {"I_MS": np.moveaxis(ms, 0, -1), "I_PAN": pan[0], "sensor": "QB"})
    options = ["--data", str(tmp_path / "s.mat"), "--output", str(tmp_path / "out"), "--resolution", "full"]
    table = test_dcinn_ps.main([*options, "--weights", saved(stirred(dcinn_ps(4)), tmp_path)])["tables"][0]
    lms = interp23(np.moveaxis(ms, 0, -1))[:64, :64]
    fused = scipy.io.loadmat(tmp_path / "out/full/s.mat")["fused"][:64, :64]
    for method, image in (("DCINN (w)", fused), ("EXP (lms)", lms)):
        found = {m: v[0] for m, v in table["values"][method].items()}
        spatial, khan = d_s(image, lms, pan[0, :64]), d_lambda_k(image, lms, sensor="QB")
        expected = {
            "D_lambda": d_lambda(image, lms),
            "D_s": spatial,
            "D_lambda_K": khan,
            "HQNR": (1 - khan) * (1 - spatial),
        }
        expected["QNR"] = (1 - expected["D_lambda"]) * (1 - spatial)
        assert found == pytest.approx(expected, rel=2e-4, abs=1e-5)
    assert any("top left 64x64 pixels" in line for line in table["remarks"])


def test_limit_of_a_stacked_file(tmp_path):
    images = {"lms": RNG.integers(0, 2047, (3, 4, 16, 16)), "pan": RNG.integers(0, 2047, (3, 1, 16, 16))}
    scipy.io.savemat(tmp_path / "s.mat", {**images, "gt": images["lms"]})
    options = ["--data", tmp_path / "s.mat", "--output", tmp_path / "o", "--limit", 2, "--weights", "untrained"]
    table = test_dcinn_ps.main([str(o) for o in options])
    assert table["tables"][0]["images"] == ["s_0000", "s_0001"]


def options(*given):
    return evaluation_parser("ps", "d", "d").parse_args(list(given))


def test_weights_on_the_shelf_are_the_default_and_exact_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setattr(pick_network, "PRETRAINED", tmp_path)
    monkeypatch.setattr("models.weights.files.PRETRAINED", tmp_path)
    network = pick_model(options("--exact"), "ps", lambda: dcinn_ps(4))
    assert (network.trained, network.model.exact, network.model.training) == (False, True, False)
    save_checkpoint(tmp_path / "ps.pth", dcinn_ps(5))
    for given, exact in (((), False), (("--exact",), True)):
        network = pick_model(options(*given), "ps", lambda: dcinn_ps(4))
        assert (network.trained, network.model.config.bands, network.model.exact) == (True, 5, exact)
        assert network.label == "DCINN (ps)"


def test_a_network_that_diverges_is_not_written(tmp_path, capfd):
    model = stirred(dcinn_ps(8))
    model.flow.low0.coupling.clamp.data.fill_(1e4)
    with pytest.raises(SystemExit):
        test_dcinn_ps.main(["--weights", saved(model, tmp_path), "--output", str(tmp_path / "o")])
    assert "NaN or infinity in the fused image" in capfd.readouterr().err
    assert not (tmp_path / "o").exists()
