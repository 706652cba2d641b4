"""Contents of the inputs and the given output paths of a step that is about to start."""

from __future__ import annotations

from smalt.service.data.snapshots import manifest
from smalt.service.reuse.content_lookup import ContentLookup, Found, Looking, LookupPlace
from smalt.service.reuse.contents import UnknownContent
from smalt.service.reuse.keys import ReuseCandidate

_NOTHING = manifest.make_content_id(manifest.encode_manifest([]))
"""The content of an empty folder."""


def make_input_place(candidate: ReuseCandidate, name: str) -> LookupPlace:
    data, mode = candidate.inputs[name], candidate.parts[f"inputs.{name}"]["mode"]
    return LookupPlace(
        data.uri, data.type, candidate.workspace, candidate.places.get(name), mode=mode, run=candidate.job.root_id
    )


def look_up_inputs(lookup: ContentLookup, candidate: ReuseCandidate) -> Looking[Found]:
    """Return the contents of the candidate's inputs, in their order."""
    return lookup.look_up_all([make_input_place(candidate, name) for name in candidate.inputs])


def look_up_given_outputs(lookup: ContentLookup, candidate: ReuseCandidate) -> Looking[dict[str, str] | UnknownContent]:
    """Return the contents found at the given paths of outputs: a step that finds something there may add to it, or
    read it.

    Commands do not find data that is elsewhere, or that is moved into place only at the end.
    """
    places = {name: LookupPlace(data.uri, data.type, candidate.workspace) for name, data in candidate.given.items()}
    places = {name: place for name, place in places.items() if not lookup.is_elsewhere(place)}
    found = yield list(places.values())
    there = {}
    for name, content in zip(places, found, strict=True):
        if isinstance(content, UnknownContent):
            return UnknownContent(f"what is at the path of its output '{name}' is not known: {content}")
        if content.id not in ("", _NOTHING):
            there[name] = content.id
    return there
