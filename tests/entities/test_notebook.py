"""Jobs in a notebook."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from smalt.entities.schema.documents import read


def job(**data: Any) -> Any:
    made, problems = read(data, "job")
    assert not problems, problems
    return made


def pipeline(waits: dict[str, list[str]]) -> Any:
    steps = {}
    for name, others in waits.items():
        ports = {f"i{number}": f"${{{{parent.jobs.{other}.outputs.o}}}}" for number, other in enumerate(others)}
        steps[name] = {
            "command": f"echo {' '.join(f'${{{{inputs.{port}}}}}' for port in ports)}",
            "environment": "azureml:host@latest",
            "inputs": ports,
            "outputs": {"o": None},
        }
    return job(type="pipeline", jobs=steps)


def drawn(html: str) -> ElementTree.Element:
    """The graph that stands after the table."""
    return ElementTree.fromstring(html[html.index("<svg") :])


def boxes(svg: ElementTree.Element) -> dict[str, tuple[float, float]]:
    space = "{http://www.w3.org/2000/svg}"
    found = {}
    for group in svg.iter(f"{space}g"):
        title, rect = group.find(f"{space}title"), group.find(f"{space}rect")
        assert title is not None
        assert rect is not None
        found[str(title.text).partition(" ")[0]] = float(rect.get("x", 0)), float(rect.get("y", 0))
    return found


def test_a_job_is_a_small_table() -> None:
    """What was written in it is text, never markup; without a studio there is a command instead of a link."""
    made = job(type="command", name="n", command="true", environment="azureml:e:1", experiment_name="<b>x</b>")
    made.status, made.id = "Completed", "/some/id"
    html = made._repr_html_()
    table = ElementTree.fromstring(html)
    assert [cell.text for cell in table.iter("td")][:4] == ["<b>x</b>", "n", "command", "Completed"]
    assert "<b>" not in html
    assert made.studio_url is None
    assert "smalt job show -n n" in html


def test_a_pipeline_draws_its_steps_below_what_they_wait_for() -> None:
    """Each step once, an edge for each pair, no box over another."""
    made = pipeline({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []})
    svg = drawn(made._repr_html_())
    places = boxes(svg)
    assert set(places) == set("abcde")
    assert places["a"][1] < places["b"][1] == places["c"][1] < places["d"][1]
    assert places["e"][1] == places["a"][1]
    assert len(set(places.values())) == 5
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}path"))) == 4


def test_an_edge_goes_around_the_step_between() -> None:
    """Where one step waits for two that stand above each other."""
    svg = drawn(pipeline({"a": [], "b": ["a"], "c": ["b", "a"]})._repr_html_())
    paths = sorted(str(path.get("d")) for path in svg.iter("{http://www.w3.org/2000/svg}path"))
    controls = [[part.split(",")[0].lstrip("MC") for part in path.split()] for path in paths]
    assert len(controls) == 3
    (around,) = (xs for xs in controls if len(set(xs)) > 1)
    left_of_boxes = min(x for x, _ in boxes(svg).values())
    assert (float(around[0]) + 3 * float(around[1]) + 3 * float(around[2]) + float(around[3])) / 8 < left_of_boxes


def test_a_pipeline_too_large_to_see_is_counted() -> None:
    """Beyond 300 steps nobody looks at boxes."""
    assert "<p>301 steps</p>" in pipeline({f"s{number}": [] for number in range(301)})._repr_html_()
