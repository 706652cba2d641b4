"""`ml_client.indexes`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.versioned import VersionedCollection
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.entities.assets.index import Index


class IndexOperations(VersionedCollection):
    kind = "index"
    segment = "indexes"

    def create_or_update(self, index: Index, **kwargs: Any) -> Index:
        return self._register_asset(index)  # type: ignore[no-any-return]

    def get(self, name: str, *, version: str | None = None, label: str | None = None, **kwargs: Any) -> Index:
        return self._parse_entity(self._get_body(name, version, label))  # type: ignore[no-any-return]

    def list(self, name: str | None = None, *, list_view_type: str = "ActiveOnly", **kwargs: Any) -> Iterator[Index]:
        return self._list_assets(name, list_view_type, **kwargs)

    def build_index(
        self,
        *,
        name: str,
        embeddings_model_config: Any,
        data_source_citation_url: str | None = None,
        tokens_per_chunk: int | None = None,
        token_overlap_across_chunks: int | None = None,
        input_glob: str | None = None,
        document_path_replacement_regex: str | None = None,
        index_config: Any = None,
        input_source: Any,
        input_source_credential: Any = None,
    ) -> Any:
        """Raise Refused: the embeddings are computed by a cloud service."""
        raise RefusedError(
            f"index '{name}' was not built: smalt computes no embeddings; build it in a job and register its folder "
            "with ml_client.indexes.create_or_update"
        )
