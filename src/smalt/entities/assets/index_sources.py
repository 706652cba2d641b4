"""Sources and settings from which an index is built."""

from __future__ import annotations

import os
from typing import Any

from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.shapes import Anything, Map, Text


class AzureAISearchConfig(Entity):
    noun = "the index of a search service"

    index_name = optional(Text(), "Index name.")
    connection_id = optional(Text(), "Connection id.")


class IndexDataSource(Entity):
    noun = "the source of an index"

    input_type = required(Anything(), "Input type.")


class GitSource(IndexDataSource):
    noun = "a Git repository"

    url = required(Text(), "Url.")
    branch_name = required(Text(), "Branch name.")
    connection_id = required(Text(), "Connection id.")

    def __init__(self, *, url: str, branch_name: str, connection_id: str) -> None:
        super().__init__(input_type="git", url=url, branch_name=branch_name, connection_id=connection_id)


class LocalSource(IndexDataSource):
    noun = "local files"

    input_data = required(Text(), "Input data.")

    def __init__(self, *, input_data: str) -> None:
        super().__init__(input_type="local", input_data=input_data)


class IndexModelConfiguration(Entity):
    noun = "the model of an index"

    api_base = optional(Text(), "Api base.")
    api_key = optional(Text(), "Api key.")
    api_version = optional(Text(), "Api version.")
    connection_name = optional(Text(), "Connection name.")
    connection_type = optional(Text(), "Connection type.")
    model_name = optional(Text(), "Model name.")
    deployment_name = optional(Text(), "Deployment name.")
    model_kwargs = mapping(Map(Anything()), "Model kwargs.")

    @staticmethod
    def from_connection(
        connection: Any, model_name: str | None = None, deployment_name: str | None = None, **kwargs: Any
    ) -> IndexModelConfiguration:
        """Return the model behind a connection to Azure OpenAI or to a serverless endpoint."""
        serves = connection.type in ("azure_open_ai", "serverless")
        if not serves:
            raise TypeError(f"a connection of the type '{connection.type}' leads to no model")
        if connection.type == "azure_open_ai" and not (model_name and deployment_name):
            raise ValueError("a connection to Azure OpenAI needs model_name and deployment_name")
        return IndexModelConfiguration(
            api_base=connection.target or connection.azure_endpoint,
            api_key=getattr(connection.credentials, "key", None) or os.environ.get("AZURE_OPENAI_API_KEY"),
            api_version=connection.api_version,
            connection_name=connection.name,
            connection_type=connection.type,
            model_name=model_name,
            deployment_name=deployment_name,
            model_kwargs=kwargs,
        )
