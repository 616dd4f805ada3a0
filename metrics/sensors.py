"""The modulation transfer functions of pansharpening sensors as gains at Nyquist, one per band and one for the pan.

Source: the DLPan-Toolbox (Deng et al., GRSM 2022), which uses 0.3 and 0.15 for sensors that it does not list.
"""

import re

_WV2 = (0.35,) * 7 + (0.27,)
_WV3 = (0.325, 0.355, 0.360, 0.350, 0.365, 0.360, 0.335, 0.315)
MTF_GAINS = {
    "QB": (0.34, 0.32, 0.30, 0.22),
    "IKONOS": (0.26, 0.28, 0.29, 0.28),
    "GEOEYE1": (0.23,) * 4,
    "WV4": (0.23,) * 4,
    "WV2": _WV2,
    "WV3": _WV3,
}
PAN_GAINS = {"QB": 0.15, "IKONOS": 0.17, "GEOEYE1": 0.16, "WV4": 0.16, "WV2": 0.11, "WV3": 0.14}
SENSORS = ("WV2", "WV3", "WV4", "QB", "GF2", "IKONOS", "GEOEYE1")
OTHER_GAIN = 0.3  # every band of any other sensor, GF2 among them
OTHER_PAN_GAIN = 0.15
SPELLED = re.compile("G(,G)*(:G)?".replace("G", r"(0?\.\d*[1-9]\d*)"))  # 0.3,0.31,0.32,0.29:0.15


def ms_gains(sensor: str) -> tuple[float, ...] | None:
    """Return the MTF gains at Nyquist of a sensor's MS bands, one per band.

    None means that the table has no gains for this name, as for GF2; use `OTHER_GAIN` for every band then.

    Args:
        sensor: a name in MTF_GAINS, in upper or lower case, or the gains themselves, "0.3,0.31,0.32,0.29:0.15". The
            gain after the colon is the pan's and may be left out; see `pan_gain`.
    """
    if SPELLED.fullmatch(sensor):
        return tuple(float(gain) for gain in sensor.partition(":")[0].split(","))
    return MTF_GAINS.get(sensor.upper())


def pan_gain(sensor: str) -> float:
    """Return the gain of a sensor's pan, by name or as written after the colon, see `ms_gains`; 0.15 if unknown."""
    if SPELLED.fullmatch(sensor) and ":" in sensor:
        return float(sensor.partition(":")[2])
    return PAN_GAINS.get(sensor.upper(), OTHER_PAN_GAIN)
