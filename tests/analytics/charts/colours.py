"""Colours as eyes see them: how far they stand out from a ground, and from each other, for colour-blind people too."""

from collections.abc import Sequence

Rgb = tuple[float, float, float]

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE TVCG
# 15(6) (2009): severity 1.0, on linear RGB.
SIGHTS: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_WHITE = (0.9505, 1.0, 1.089)


def linear(colour: str) -> Rgb:
    """`#rrggbb` as amounts of light."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _light(red), _light(green), _light(blue)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2: 1 for the same colour, 21 for black on white."""
    dark, bright = sorted(_times(_XYZ, linear(colour))[1] for colour in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def apart(one: str, other: str, sight: str) -> float:
    """How different two colours look (CIE 1976): 2 is just seen side by side, 20 at a glance."""
    seen = (_lab(_times(SIGHTS[sight], linear(colour))) for colour in (one, other))
    return float(sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5)


def _light(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _times(matrix: Sequence[Rgb], colour: Rgb) -> Rgb:
    one, two, three = (sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix)
    return one, two, three


def _lab(colour: Rgb) -> Rgb:
    shown = tuple(min(max(each, 0.0), 1.0) for each in colour)
    x, y, z = (_root(each / white) for each, white in zip(_times(_XYZ, shown), _WHITE, strict=True))  # type: ignore[arg-type]
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    return float(value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116)
