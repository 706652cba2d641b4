"""The images that tests of containers leave in Podman's store, which all runs on a machine share: none."""

from __future__ import annotations

from pathlib import Path

from .podman import Podman, remove, start


def test_an_image_goes_with_all_that_was_built_on_it(podman: Podman, tmp_path: Path) -> None:
    """And with nothing of another file of tests that the same worker runs."""
    own = start(tmp_path)
    assert not isinstance(own, str), own
    (tmp_path / "Dockerfile").write_text(f"FROM {own.image}\nENV ONE=1\nRUN true\n")
    built = own.run("build", "--quiet", str(tmp_path)).strip()
    assert own.image in podman.images
    remove(own.image)
    assert podman.image in podman.images
    assert own.image not in podman.images
    assert built not in podman.run("images", "--all", "--quiet", "--no-trunc")
