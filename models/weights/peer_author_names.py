"""Translates the parameter names in files of the other methods' authors to our names."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from .containers import bare_name
from .files import plain_state

PARTS = {
    "cddfuse": {
        "DIDF_Encoder": "encoder",
        "DIDF_Decoder": "decoder",
        "BaseFuseLayer": "base_fuse",
        "DetailFuseLayer": "detail_fuse",
    },
    "defusion": {"state_dict": ""},
}
AUIF_FILES = ("base_encoder", "detail_encoder", "decoder")  # each file's name contains one of these
MARKS = {"conv1.0.kernel": "auif", "conv2.0.kernel": "auif", "decoder_common_blocks.0.linear1.weight": "defusion"}
RENAMED = {
    "auif": (
        (r"^conv1\.", "base.layers."),
        (r"^conv2\.", "detail.layers."),
        (r"\.rest\.0\.", ".norm."),
        (r"\.rest\.1\.", ".activation."),
        (r"^decoder\.1\.", "conv."),
        (r"^decoder\.2\.", "norm."),
    ),
    "cddfuse": (
        (r"patch_embed\.proj\.", "embed."),
        (r"encoder_level1\.", "shared."),
        (r"encoder_level2\.", "blocks."),
        (r"baseFeature\.", "base."),
        (r"detailFeature\.net\.", "detail."),
        (r"detail_fuse\.net\.", "detail_fuse."),
        (r"reduce_channel\.", "reduce."),
        (r"\.body\.", "."),
        (r"attn\.(temperature|scale)$", "temperature"),
        (r"attn\.(qkv_dwconv|qkv2)\.", "qkv.1."),
        (r"attn\.(qkv|qkv1)\.", "qkv.0."),
        (r"attn\.(project_out|proj)\.", "project."),
        (r"(ffn|mlp)\.project_in\.", "mix.0."),
        (r"(ffn|mlp)\.dwconv\.", "mix.1."),
        (r"(ffn|mlp)\.project_out\.", "unmix."),
        (r"shffleconv\.", "mix."),
        (r"theta_(phi|rho|eta)\.bottleneckBlock\.0\.", r"\1.0."),
        (r"theta_(phi|rho|eta)\.bottleneckBlock\.3\.", r"\1.2."),
        (r"theta_(phi|rho|eta)\.bottleneckBlock\.5\.", r"\1.4."),
    ),
    "defusion": (
        (r"^decoder_pos_embed$", "masked.positions"),
        (r"^mask_token$", "masked.mask_token"),
        (r"^mim_decoder_(blocks|norm)\.", r"masked.\1."),
        (r"^mim_decoder_pred\.", "masked.linear."),
        (r"pos_embed$", "positions"),
        (r"patch_embed\.proj\.", "patch_embed."),
        (r"^enc_norm1\.", "level_norms.0."),
        (r"^enc_norm2\.", "level_norms.1."),
        (r"^decoder_(common|unique|fuse)_blocks\.0\.", r"\1."),
        (r"^decoder_(common|unique|fuse)_blocks\.1\.", r"\1_head.block."),
        (r"^decoder_(common|unique|fuse)_blocks\.2\.", r"\1_head.linear."),
        (r"^decode_common_skipconn\.", "common_skip."),
        (r"^decoder_unique_residual_skipconn\.", "unique_residual_skip."),
        (r"^decoder_(unique|fuse)_skipconn\.", r"\1_skip."),
        (r"^decoder_unique_residual\.", "unique_residual."),
        (r"^recon_blocks_mim_encoder\.", "refine."),
        (r"multi_input_self_attn\.multihead_attn\.", "attention."),
        (r"multi_input_self_attn\.", ""),
        (r"^latent_predict1\.", "latent_heads.0."),
        (r"^latent_predict2\.", "latent_heads.1."),
        (r"^mm_unique_norm1\.", "unique_norms.0."),
        (r"^mm_unique_norm2\.", "unique_norms.1."),
    ),
}


def from_authors(method: str, content: object) -> dict[str, Tensor]:
    """Return the entries of an authors' file under our names.

    Args:
        method: "auif", "cddfuse" or "defusion".
        content: the file's content: one state dictionary, or several under the names of the network's parts. For
            AUIF-Net, the content of one of its three files.

    Raises:
        ValueError: for anything but dictionaries from names to plain tensors.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f"found {type(content).__name__}, expected a dictionary of tensors")
    parts = {name: prefix for name, prefix in PARTS.get(method, {}).items() if name in content}
    states = {prefix: content[name] for name, prefix in parts.items()} or {"": content}
    return {
        our_name(method, f"{prefix}.{name}" if prefix else name): value
        for prefix, state in states.items()
        for name, value in plain_state(state).items()
    }


def our_name(method: str, name: str) -> str:
    """Return our name for the entry `name` of a file of the authors of `method`."""
    for pattern, ours in RENAMED[method]:
        name = re.sub(pattern, ours, name)
    return name


def method_of(content: object) -> str | None:
    """Return the method that a file's content belongs to: "auif", "cddfuse", "defusion", or None."""
    if not isinstance(content, Mapping):
        return None
    if "DIDF_Encoder" in content:
        return "cddfuse"
    state = content.get("state_dict", content)
    if not isinstance(state, Mapping):
        return None
    names = {bare_name(name) for name in state if isinstance(name, str)}
    if {"decoder.1.weight", "decoder.2.weight"} <= names and len(names) < 10:
        return "auif"
    return next((method for mark, method in MARKS.items() if mark in names), None)


def auif_files(path: Path) -> list[Path]:
    """Return the paths of AUIF-Net's three files, base encoder, detail encoder, decoder, from the path of any one.

    Raises:
        ValueError: if the file's name contains none of `AUIF_FILES`.
    """
    own = next((part for part in AUIF_FILES if part in path.name), None)
    if own is None:
        raise ValueError(f"found a part of AUIF-Net, expected {', '.join(AUIF_FILES)} in the names of its three files")
    return [path.with_name(path.name.replace(own, part)) for part in AUIF_FILES]
