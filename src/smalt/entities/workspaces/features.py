"""Features, and requests to backfill a feature set."""

from __future__ import annotations

from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.shapes import Anything, List, Map, Text


class Feature(Entity):
    noun = "a feature"

    name = required(Text(), "Name.")
    data_type = required(Anything(), "Data type.")
    description = optional(Text(), "Description.")
    tags = mapping(Map(Anything()), "Tags.")


class FeatureStoreSettings(Entity):
    noun = "settings of a feature store"

    compute_runtime = optional(Anything(), "Compute runtime.")
    offline_store_connection_name = optional(Text(), "Offline store connection name.")
    online_store_connection_name = optional(Text(), "Online store connection name.")


class FeatureSetBackfillRequest(Entity):
    noun = "a request for a backfill"

    name = required(Text(), "Name.")
    version = required(Text(), "Version.")
    feature_window = optional(Anything(), "Feature window.")
    description = optional(Text(), "Description.")
    tags = mapping(Map(Anything()), "Tags.")
    resource = optional(Anything(), "Resource.")
    spark_configuration = mapping(Map(Anything()), "Spark configuration.")
    data_status = optional(List(Text()), "Data status.")
    job_id = optional(Text(), "Job id.")
