"""What all jobs share."""

from __future__ import annotations

from smalt.entities.asset import TAGS, Resource
from smalt.entities.entity import from_service, mapping, optional
from smalt.entities.identity import IDENTITY
from smalt.entities.services import SERVICES
from smalt.entities.shapes import Anything, Map, Text


class Job(Resource):
    noun = "a job"

    display_name = optional(Text(), "The name that people see.")
    experiment_name = optional(Text(), "The experiment that it is listed under.")
    compute = optional(Text(), "Where it runs.")
    identity = optional(IDENTITY, "As whom it runs.")
    services = mapping(SERVICES, "Interactive services beside the job.")
    properties = mapping(TAGS, "What tools note about it; cannot be changed later.")
    parent_job_name = from_service(Text(), "The job that this is a part of.")
    status = from_service(Text(), "The state.")
    log_files = from_service(Map(Anything()), "The logs.")
