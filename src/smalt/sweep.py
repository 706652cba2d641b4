"""What a sweep is made of, as `azure.ai.ml.sweep` has it."""

from __future__ import annotations

from smalt.entities.sweep import BanditPolicy as BanditPolicy
from smalt.entities.sweep import BayesianSamplingAlgorithm as BayesianSamplingAlgorithm
from smalt.entities.sweep import Choice as Choice
from smalt.entities.sweep import GridSamplingAlgorithm as GridSamplingAlgorithm
from smalt.entities.sweep import LogNormal as LogNormal
from smalt.entities.sweep import LogUniform as LogUniform
from smalt.entities.sweep import MedianStoppingPolicy as MedianStoppingPolicy
from smalt.entities.sweep import Normal as Normal
from smalt.entities.sweep import Objective as Objective
from smalt.entities.sweep import QLogNormal as QLogNormal
from smalt.entities.sweep import QLogUniform as QLogUniform
from smalt.entities.sweep import QNormal as QNormal
from smalt.entities.sweep import QUniform as QUniform
from smalt.entities.sweep import Randint as Randint
from smalt.entities.sweep import RandomSamplingAlgorithm as RandomSamplingAlgorithm
from smalt.entities.sweep import SamplingAlgorithm as SamplingAlgorithm
from smalt.entities.sweep import SweepJobLimits as SweepJobLimits
from smalt.entities.sweep import TruncationSelectionPolicy as TruncationSelectionPolicy
from smalt.entities.sweep import Uniform as Uniform
from smalt.entities.sweep_job import SweepJob as SweepJob
