from __future__ import annotations

import io

from rich.console import Console

from smalt.cli.jobs.step_tree import StepTree
from smalt.cli.jobs.stream import show_events
from smalt.cli.jobs.watch import JobWatch

from .test_follow import FAILED, job


def screen(watch: JobWatch, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=100, height=height, force_terminal=False, highlight=False)
    console.print(StepTree(watch, console=console).render_tree())
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_tree_shows_state_time_and_why() -> None:
    """Each node has its state and its time, a failed one its reason."""
    watch = JobWatch("p")
    for event in FAILED:
        if event["t"] == "job":
            watch.apply_event(event)
    lines = screen(watch).splitlines()
    assert "p  Failed  4.0 s" in lines[0]
    assert "train  Failed  2.5 s  Exit code 3." in lines[1]
    assert "score  Canceled" in lines[2]


def test_a_large_tree_shows_what_matters() -> None:
    """Of 1,000 nodes those that failed or run are shown, the others counted; it fits half the screen."""
    watch = JobWatch("p")
    watch.apply_event(job("p", "Running", type="pipeline"))
    for number in range(1000):
        status = "Failed" if number == 700 else "Running" if number == 800 else "Completed"
        watch.apply_event(job(f"c{number}", status, node=f"n{number}", parent="p"))
    lines = screen(watch, height=24).splitlines()
    assert len(lines) == 10
    assert any("n700  Failed" in line for line in lines)
    assert any("n800  Running" in line for line in lines)
    assert lines[-1] == "… and 992 Completed"


def test_the_log_scrolls_above_the_tree() -> None:
    """The log's lines are printed with their step, and the tree stays at the end."""
    console = Console(file=io.StringIO(), width=100, height=40, force_terminal=True, color_system=None, highlight=False)
    watch = JobWatch("p")
    with StepTree(watch, console=console) as view:
        show_events(watch, view, FAILED)
    file = console.file
    assert isinstance(file, io.StringIO)
    text = file.getvalue()
    assert "train | epoch 2" in text
    assert "train | boom" in text
    assert text.rstrip().rpartition("train | boom")[2].count("score  Canceled") >= 1


def test_a_progress_bar_is_shown_as_it_comes() -> None:
    """The last drawing of a line that is redrawn stands above the tree until the line ends."""
    console = Console(file=io.StringIO(), width=100, height=40, force_terminal=False, highlight=False)
    watch = JobWatch("p")
    watch.apply_event(job("p", "Running", type="pipeline"))
    train, _ = watch.apply_event(job("c1", "Running", node="train", parent="p"))
    view = StepTree(watch, console=console)
    view.show_log(train, "\r10%|#    |\r50%|##   |")
    console.print(view.render_tree())
    file = console.file
    assert isinstance(file, io.StringIO)
    assert file.getvalue().splitlines()[0] == "train | 50%|##   |"
    view.show_log(train, "\r90%\n")
    console.print(view.render_tree())
    assert file.getvalue().count("| 90%") == 1
    assert not view._render_unended()
