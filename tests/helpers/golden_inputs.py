"""Deterministic weights and images, made from their names: what the authors' networks were given for the expected
values in expected/networks.npz. The numbers must not change."""

import zlib

import numpy as np


def _generator(name):
    return np.random.default_rng(zlib.crc32(f"dev:{name}".encode()))


def weight(name, shape):
    """Values of trained size for the entry `name` of a released checkpoint."""
    rng, shape = _generator(name), tuple(shape)
    if name.endswith("initialized"):
        return np.array(1, np.uint8)
    uniform = {"clamp_s": (0.1, 0.9), "norm.scale": (0.7, 1.4), "ln.weights": (0.8, 1.2), "ln.bias": (-0.2, 1.0)}
    for ending, (low, high) in uniform.items():
        if name.endswith(ending):
            return rng.uniform(low, high, shape).astype(np.float32)
    if name.endswith("norm.loc"):
        return rng.normal(0, 0.1, shape).astype(np.float32)
    if name.endswith("kernel1"):
        return (rng.normal(0, 1, shape) * 0.6 / np.sqrt(shape[0] * 25)).astype(np.float32)
    if len(shape) == 4:
        return (rng.normal(0, 1, shape) * 0.7 / np.sqrt(int(np.prod(shape[1:])))).astype(np.float32)
    return rng.normal(0, 0.05, shape).astype(np.float32)


def image(name, shape):
    """A smooth pattern with a little noise, float32 in [0, 1]."""
    rng = _generator(name)
    *lead, height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    out = np.empty(shape, np.float32)
    for index in np.ndindex(*lead):
        a, b, c, d = rng.uniform(0.02, 0.35, 4)
        p, q = rng.uniform(0, 6.28, 2)
        wave = np.sin(a * x + b * y + p) * np.cos(c * x - d * y + q)
        out[index] = 0.5 + 0.25 * wave + 0.05 * rng.standard_normal((height, width))
    return np.clip(out, 0, 1)
