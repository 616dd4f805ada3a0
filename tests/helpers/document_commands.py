"""The commands of README and docs, and small files under the names that stand in them."""

import re
import shlex
from pathlib import Path

import cv2
import h5py
import numpy as np
import scipy.io
import tifffile
import torch
from measured_files import envi
from outputs import pairs

from data.hyperspectral import CAVE_TEST
from data.simulate import spectral_response
from models import dcinn_ps, export_released, save_checkpoint
from models.peers import AUIF

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
RNG = np.random.default_rng(0)
SMALL = ("--batch", "2", "--patch", "32")
EXTRA = {  # options that make a command small: the last one given counts
    "train_dcinn_ps.py": (*SMALL, "--hold-back", "0"),
    "train_dcinn_hmf.py": (*SMALL, "--stride", "484", "--hold-back", "0"),
    "train_dcinn_ivf_rs.py": SMALL,
    "train_dcinn_ivf_tno.py": SMALL,
    "train_peers.py auif": ("--batch", "2", "--patch", "32", "--hold-back", "1", "--steps", "1"),
    "train_peers.py cddfuse": ("--batch", "2", "--patch", "32", "--steps", "1"),
    "train_peers.py defusion": ("--batch", "2", "--steps", "1"),
    "test_peers.py": ("--limit", "1"),
    "test_dcinn_ivf_rs.py": ("--limit", "1"),
    "test_dcinn_ivf_tno.py": ("--limit", "1"),
    "test_dcinn_hmf.py": ("--limit", "1"),
    "data hmf": ("--patch", "32", "--stride", "32"),
    "data ps": ("--patch", "32", "--stride", "16"),
}


def sections(text):
    """Heading -> what stands below it, of every level."""
    parts = re.split(r"^(##+ .*)$", text, flags=re.M)
    return {h.strip("# "): body for h, body in zip(parts[1::2], parts[2::2], strict=True)}


def marked(name):
    """The block of README that follows a mark, as .ci/run finds it."""
    return re.search(rf"<!-- command: {name} -->\n```bash\n(.*?)\n```", DOCUMENTS["README.md"], flags=re.S)[1]


def all_sections():
    """ "document: heading" -> what stands below it, of README and docs."""
    return {f"{file}: {head}": text for file, whole in DOCUMENTS.items() for head, text in sections(whole).items()}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def commands(text):
    """The commands of bash blocks, without their comments."""
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def arguments(words):
    """The program (a script, or the module and its subcommand), and its options made small."""
    name, *options = words[1:] if words[1] != "-m" else words[2:]
    kind = f"{name} {options[0]}" if name in ("data", "train_peers.py") else name
    more = [] if "--hsi" in options else list(EXTRA.get(kind, ()))
    if any(option.endswith(".h5") for option in options):  # prepared patches have their size
        more = [word for i, word in enumerate(more) if not {"--patch", "--stride"} & set(more[max(i - 1, 0) : i + 1])]
    if name.startswith("train"):
        more += ["--epochs", "2" if "--resume" in options else "1"]
    return name, options + more


def auif_files(folder):
    """The three files of AUIF-Net, under its authors' names."""
    folder.mkdir()
    names = {"base.layers.": "conv1.", "detail.layers.": "conv2.", "conv.": "decoder.1.", "norm.": "decoder.2."}
    files = {"conv1.": "base_encoder", "conv2.": "detail_encoder", "decoder.1.": "decoder", "decoder.2.": "decoder"}
    parts = {}
    for name, value in AUIF().state_dict().items():
        ours = next(o for o in names if name.startswith(o))
        inner = name.removeprefix(ours).replace(".norm.", ".rest.0.").replace(".activation.", ".rest.1.")
        parts.setdefault(files[names[ours]], {})[names[ours] + inner] = value
    for part, state in parts.items():
        torch.save(state, folder / f"auif_{part}.pth")


def digital(*shape):
    return RNG.integers(1, 2000, shape).astype(np.float32)


def cave(folder):
    for name in (*CAVE_TEST, "sponges"):  # and one to train on
        (folder / f"{name}_ms").mkdir(parents=True)
        for band in range(1, 32):
            image = RNG.integers(0, 65536, (64, 64)).astype(np.uint16)
            cv2.imwrite(str(folder / f"{name}_ms/{name}_ms_{band:02d}.png"), image)


def measured_cube(folder):
    """A cube of 12 bits as ENVI, and times 2.5 as TIFF, and the camera images that the response makes of them."""
    low = np.kron(RNG.integers(400, 3600, (31, 4, 4)), np.ones((1, 2, 2)))
    envi(folder / "HSI.hdr", low.astype(np.uint16))
    options = {"photometric": "minisblack"}
    tifffile.imwrite(folder / "HSI.tif", (low * 2.5).astype(np.uint16), planarconfig="separate", **options)
    camera = np.kron(np.tensordot(spectral_response().T, low, 1), np.ones((1, 4, 4)))  # blue, green, red
    cv2.imwrite(str(folder / "CAMERA.png"), np.moveaxis(camera / 16, 0, -1).astype(np.uint8))
    image = np.moveaxis(camera * 2.5, 0, -1).astype(np.uint16)
    tifffile.imwrite(folder / "MSI.tif", image, planarconfig="contig", **options)


def pan_file(path, count):
    with h5py.File(path, "w") as file:
        gt = digital(count, 8, 64, 64)
        file["gt"], file["lms"], file["ms"] = gt, (gt + 30).clip(0, 2047), gt[:, :, ::4, ::4]
        file["pan"] = gt[:, :1]
    return gt


def make_world(folder):
    """Every file that the documents' commands name and do not make."""
    pairs(folder / "PAIRS_DIR", "1", "2")
    pairs(folder / "TNO_DIR", "1")
    pairs(folder / "ROADSCENE_DIR", *"abcd")
    pairs(folder, "A")
    for name, kind in (("A", "vi"), ("B", "ir")):
        (folder / kind / "A.png").rename(folder / f"{name}.png")
    cave(folder / "CAVE_DIR")
    measured_cube(folder)
    (folder / "HARVARD_DIR").mkdir()
    ramp = np.linspace(0, 60000, 1000).astype(np.uint16)[:, None, None]
    scipy.io.savemat(folder / "HARVARD_DIR/img1.mat", {"ref": np.tile(ramp, (1, 1000, 31))}, do_compression=True)
    scipy.io.savemat(folder / "SCENE.mat", {"I_MS_LR": digital(64, 64, 4), "I_PAN": digital(256, 256)})
    scipy.io.savemat(folder / "WV2.mat", {"I_MS_LR": digital(320, 32, 8), "I_PAN": digital(1280, 128)})
    for name, count in (("train_wv3", 4), ("valid_wv3", 2)):
        pan_file(folder / f"{name}.h5", count)
    np.save(folder / "FUSED_PS.npy", pan_file(folder / "test_wv3_multiExm1.h5", 2))
    tifffile.imwrite(folder / "MS.tif", digital(16, 16, 4).astype(np.uint16), planarconfig="contig")
    tifffile.imwrite(folder / "PAN.tif", digital(64, 64).astype(np.uint16))
    auif_files(folder / "AUIF")
    pairs(folder / "focus", "a")
    (folder / "FOCUS_DIR").mkdir()
    for name, kind in (("A", "vi"), ("B", "ir")):
        (folder / f"focus/{kind}/a.png").rename(folder / f"FOCUS_DIR/lake-{name}.png")
    np.savetxt(folder / "SRF.csv", spectral_response(), delimiter=",")
    for name, bands in (("WEIGHTS", 4), ("WV3_WEIGHTS", 8)):
        save_checkpoint(folder / name, dcinn_ps(bands))
    export_released(folder / "model_pansharpening.pth", dcinn_ps(8))
    pairs(folder / "scored", "a", "b")
    for name, kind in (("FUSED_DIR", "vi"), ("IR_DIR", "ir"), ("VI_DIR", "vi")):
        (folder / name).symlink_to(folder / "scored" / kind)
    (folder / "FUSED_HMF").mkdir()
    for name in CAVE_TEST:
        np.save(folder / f"FUSED_HMF/{name}.npy", RNG.random((64, 64, 31)) * 65535)
