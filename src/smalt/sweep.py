"""Search spaces, sampling and early termination of sweeps, under the names of `azure.ai.ml.sweep`."""

from __future__ import annotations

from smalt.entities.jobs.search_space import BanditPolicy as BanditPolicy
from smalt.entities.jobs.search_space import BayesianSamplingAlgorithm as BayesianSamplingAlgorithm
from smalt.entities.jobs.search_space import Choice as Choice
from smalt.entities.jobs.search_space import GridSamplingAlgorithm as GridSamplingAlgorithm
from smalt.entities.jobs.search_space import LogNormal as LogNormal
from smalt.entities.jobs.search_space import LogUniform as LogUniform
from smalt.entities.jobs.search_space import MedianStoppingPolicy as MedianStoppingPolicy
from smalt.entities.jobs.search_space import Normal as Normal
from smalt.entities.jobs.search_space import Objective as Objective
from smalt.entities.jobs.search_space import QLogNormal as QLogNormal
from smalt.entities.jobs.search_space import QLogUniform as QLogUniform
from smalt.entities.jobs.search_space import QNormal as QNormal
from smalt.entities.jobs.search_space import QUniform as QUniform
from smalt.entities.jobs.search_space import Randint as Randint
from smalt.entities.jobs.search_space import RandomSamplingAlgorithm as RandomSamplingAlgorithm
from smalt.entities.jobs.search_space import SamplingAlgorithm as SamplingAlgorithm
from smalt.entities.jobs.search_space import SweepJobLimits as SweepJobLimits
from smalt.entities.jobs.search_space import TruncationSelectionPolicy as TruncationSelectionPolicy
from smalt.entities.jobs.search_space import Uniform as Uniform
from smalt.entities.jobs.sweep import SweepJob as SweepJob
