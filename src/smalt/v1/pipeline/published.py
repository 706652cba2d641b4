"""Names of published pipelines, drafts and schedules: they can be imported, and say what to do when they are used."""

from __future__ import annotations

from typing import Any, NoReturn

from smalt.v1.exceptions import UserErrorException


class LaterMeta(type):
    """A metaclass of classes that only have a name, so that programs import them and `isinstance` goes on working."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException(explain_refusal(cls.__name__))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UserErrorException(explain_refusal(f"{cls.__name__}.{name}"))


def explain_refusal(name: str) -> str:
    """Return the sentence of the table about a name that is not served."""
    from smalt.v1.mapping import find_nearest_row

    row = find_nearest_row(name)
    return f"{name} is not served: {row.differs if row is not None else 'see docs/v1.md'}"


class PublishedPipeline(metaclass=LaterMeta):
    """A pipeline that others submit by its address."""


class PipelineEndpoint(metaclass=LaterMeta):
    """Versions of a published pipeline behind one address."""


class PipelineDraft(metaclass=LaterMeta):
    """A pipeline that is not submitted yet."""


class Schedule(metaclass=LaterMeta):
    """Submissions of a published pipeline at certain times."""


class ScheduleRecurrence(metaclass=LaterMeta):
    """The times of a schedule."""

    def __init__(
        self,
        frequency: str,
        interval: int,
        start_time: Any = None,
        time_zone: Any = None,
        hours: Any = None,
        minutes: Any = None,
        week_days: Any = None,
        time_of_day: Any = None,
    ) -> None: ...


class TimeZone(metaclass=LaterMeta):
    """The time zone of a schedule."""


class NotebookRunConfig(metaclass=LaterMeta):
    """A notebook as the script of a step."""


class AzureMLNotebookHandler(metaclass=LaterMeta):
    """The runner of a notebook in a step."""
