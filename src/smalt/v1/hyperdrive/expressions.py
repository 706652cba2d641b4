"""`azureml.train.hyperdrive.parameter_expressions`: the values that a parameter may have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smalt.entities.jobs import search_space as spaces
from smalt.v1.exceptions import UserErrorException


def choice(*options: Any) -> spaces.Choice:
    """Return one of the options, which are arguments, or one list or range of them."""
    listed = list(options)
    if len(listed) == 1 and isinstance(listed[0], Iterable) and not isinstance(listed[0], (str, bytes)):
        listed = list(listed[0])
    if not listed:
        raise UserErrorException("choice() needs at least one value to choose from")
    return spaces.Choice(values=listed)


def randint(upper: int) -> spaces.Randint:
    return spaces.Randint(upper=upper)


def uniform(min_value: float, max_value: float) -> spaces.Uniform:
    return spaces.Uniform(min_value=min_value, max_value=max_value)


def quniform(min_value: float, max_value: float, q: float) -> spaces.QUniform:
    return spaces.QUniform(min_value=min_value, max_value=max_value, q=q)


def loguniform(min_value: float, max_value: float) -> spaces.LogUniform:
    return spaces.LogUniform(min_value=min_value, max_value=max_value)


def qloguniform(min_value: float, max_value: float, q: float) -> spaces.QLogUniform:
    return spaces.QLogUniform(min_value=min_value, max_value=max_value, q=q)


def normal(mu: float, sigma: float) -> spaces.Normal:
    return spaces.Normal(mu=mu, sigma=sigma)


def qnormal(mu: float, sigma: float, q: float) -> spaces.QNormal:
    return spaces.QNormal(mu=mu, sigma=sigma, q=q)


def lognormal(mu: float, sigma: float) -> spaces.LogNormal:
    return spaces.LogNormal(mu=mu, sigma=sigma)


def qlognormal(mu: float, sigma: float, q: float) -> spaces.QLogNormal:
    return spaces.QLogNormal(mu=mu, sigma=sigma, q=q)
