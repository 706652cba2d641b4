"""The parameters of tables that are searched by the database, bounded so that it can."""

from __future__ import annotations

from smalt.exceptions import ValidationException
from smalt.service.api.request import ApiRequest

_LONGEST_SEARCH = 500
_MOST_VALUES = 200


def get_search_text(request: ApiRequest) -> str:
    text = request.get_query("search")
    if len(text) > _LONGEST_SEARCH:
        raise ValidationException(f"'search' must have at most {_LONGEST_SEARCH} characters, not {len(text)}")
    return text


def get_values(request: ApiRequest, parameter: str) -> list[str]:
    """Return the different values of a parameter that may be given as often as needed."""
    values = list(dict.fromkeys(request.query_params.getlist(parameter)))
    if len(values) > _MOST_VALUES:
        raise ValidationException(
            f"'{parameter}' can have at most {_MOST_VALUES} values, not {len(values)}; send several requests"
        )
    return values
