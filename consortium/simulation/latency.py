"""How long a message takes: a base delay per pair of banks plus a jitter read from a table of quantiles.

A jitter is a table of 4,096 delays in ascending order; 16 hashed bits of a message pick one. A log-normal
jitter is given by its median and its 99th percentile. Its table is computed in decimal arithmetic, which is
exact to the last digit on every machine; the C library's `exp` and `log` are not, and one microsecond of
difference would give another run.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Literal

TABLE_BITS = 12
TABLE_SIZE = 1 << TABLE_BITS
LANE_BITS = 16
"""The width of the hashed number that picks a delay (`randomness.MessageHash`)."""
LANE_SHIFT = LANE_BITS - TABLE_BITS

_Z99 = Decimal("2.3263478740408411")  # the 99th percentile of the standard normal distribution
_DIGITS = 28


@dataclass(frozen=True, slots=True)
class Jitter:
    """What is added to the base delay.

    constant: `low_us`. uniform: `low_us` to `high_us`. lognormal: median `low_us`, 99th percentile `high_us`.
    """

    kind: Literal["constant", "uniform", "lognormal"] = "constant"
    low_us: int = 0
    high_us: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("constant", "uniform", "lognormal"):
            raise ValueError(f"unknown kind of jitter {self.kind!r}: constant, uniform or lognormal")
        if self.low_us < 0:
            raise ValueError("a delay must not be negative")
        if self.kind == "uniform" and self.high_us < self.low_us:
            raise ValueError("the upper bound of a uniform jitter must not be below the lower one")
        if self.kind == "lognormal" and not 0 < self.low_us <= self.high_us:
            raise ValueError("a log-normal jitter needs 0 < median <= 99th percentile")

    def table(self) -> tuple[int, ...]:
        """The delays of `TABLE_SIZE` equally likely quantiles, ascending."""
        if self.kind == "constant":
            return (self.low_us,) * TABLE_SIZE
        if self.kind == "uniform":
            width = self.high_us - self.low_us + 1
            return tuple(self.low_us + ((2 * i + 1) * width) // (2 * TABLE_SIZE) for i in range(TABLE_SIZE))
        return _lognormal_table(self.low_us, self.high_us)


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delays in microseconds: `base_us`, or `matrix_us[sender][receiver]` if given, plus jitter."""

    base_us: int = 0
    jitter: Jitter = Jitter()
    matrix_us: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        rows: Sequence[Sequence[int]] = self.matrix_us or ((self.base_us,),)
        if any(delay < 0 for row in rows for delay in row):
            raise ValueError("a delay must not be negative")
        if self.matrix_us and any(len(row) != len(self.matrix_us) for row in self.matrix_us):
            raise ValueError("the latency matrix must be square")

    def base_row(self, sender: int, count: int) -> tuple[int, ...]:
        """Base delays from `sender` to receivers 0..count-1."""
        if self.matrix_us is None:
            return (self.base_us,) * count
        if len(self.matrix_us) < count:
            raise ValueError(f"the latency matrix has {len(self.matrix_us)} rows for {count} banks")
        return self.matrix_us[sender][:count]


@lru_cache(maxsize=64)
def delay_table(jitter: Jitter, base_us: int, least_us: int) -> "array[int]":
    """Base plus jitter, but at least `least_us`; the upper `TABLE_BITS` of a lane are the index.

    An array of 32 KiB stays in the processor's first cache where a list of integers does not.
    """
    return array("q", [max(least_us, base_us + jitter_us) for jitter_us in jitter.table()])


def _lognormal_table(median_us: int, p99_us: int) -> tuple[int, ...]:
    """The middle of each quantile: median * exp(sigma * z); the lower half mirrors the upper z."""
    with localcontext() as context:
        context.prec = _DIGITS
        sigma = (Decimal(p99_us) / Decimal(median_us)).ln() / _Z99
        upper = [(sigma * z).exp() for z in _upper_normal_quantiles()]
        below = [round(Decimal(median_us) / factor) for factor in reversed(upper)]
        above = [round(Decimal(median_us) * factor) for factor in upper]
    return tuple(below + above)


@lru_cache(maxsize=1)
def _upper_normal_quantiles() -> tuple[Decimal, ...]:
    """Every z with P(Z < z) = 1/2 + (i + 1/2) / TABLE_SIZE, for i in 0..TABLE_SIZE/2-1.

    The area under the normal curve is summed by the trapezoid rule in steps of 1/2048 (error below 1e-8);
    between two steps the quantile is interpolated linearly.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        step = Decimal(1) / 2048
        pi = Decimal("3.141592653589793238462643383")
        density = 1 / (2 * pi).sqrt()
        # density(x + step) = density(x) * ratio(x), and ratio(x + step) = ratio(x) * shrink.
        ratio = (-(step * step) / 2).exp()
        shrink = (-(step * step)).exp()
        quantiles: list[Decimal] = []
        x = area = Decimal(0)
        wanted = Decimal(1) / (2 * TABLE_SIZE)
        while len(quantiles) < TABLE_SIZE // 2:
            next_density = density * ratio
            slice_area = (density + next_density) * step / 2
            while area + slice_area >= wanted and len(quantiles) < TABLE_SIZE // 2:
                quantiles.append(x + step * (wanted - area) / slice_area)
                wanted += Decimal(1) / TABLE_SIZE
            area += slice_area
            x += step
            density = next_density
            ratio *= shrink
    return tuple(quantiles)
