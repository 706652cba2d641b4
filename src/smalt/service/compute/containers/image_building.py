"""Makes images for jobs: pulls them, builds a context, or adds an environment's packages to an image."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import uv

from smalt.service.compute.containers.engine import ContainerEngine
from smalt.service.compute.containers.supervision import hold_mark
from smalt.service.environments.build_errors import EnvironmentFailed, ImageUnavailable, read_uv_error
from smalt.service.environments.builders import shared_files
from smalt.service.environments.builders import virtual_environments as installer
from smalt.service.environments.builders.build_processes import Log, OutputLines
from smalt.service.environments.builders.pip_settings import forbids_indexes
from smalt.service.environments.image_source import ContainerImage
from smalt.service.environments.resolution.image_names import list_bases
from smalt.service.environments.resolution.python_versions import NEWEST, PythonConstraint
from smalt.service.environments.resolution.requirements import copy_local_files

PREFIX = "/opt/smalt-environment"
_HAS_ANOTHER, _HAS_NONE = 77, 78
"""Exit codes of the script when the image has another Python than asked for, or none."""
_EVERY = [(3, minor) for minor in range(6, 30)]

# uv, where it runs inside (it needs glibc), else the image's own venv and pip.
_LAYER = f"""set -e
. /smalt/variables
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_PROGRESS=1 NO_COLOR=1
if /smalt/uv --version >/dev/null 2>&1; then uv=/smalt/uv; fi
python=$($uv python find "$ASKED" 2>/dev/null || $uv python find 2>/dev/null || command -v python3) || exit {_HAS_NONE}
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case " $ALLOWED " in *" $minor "*) ;; *) echo "$minor"; exit {_HAS_ANOTHER};; esac
if [ "$uv" ]; then
  $uv venv -q --python "$python" {PREFIX}
  $uv pip install -q --python {PREFIX}/bin/python pip >/dev/null 2>&1 || true
  install="$uv pip install --python {PREFIX}/bin/python"
else
  "$python" -m venv {PREFIX}
  install="{PREFIX}/bin/python -m pip install"
fi
[ -s /smalt/requirements.txt ] || exit 0
set -- /smalt/local/*
if [ -e "$1" ]; then cp -R /smalt/local /tmp/smalt-local; fi
$install $NO_INDEX -r /smalt/requirements.txt
[ "$uv" ] || exit 0
for site in {PREFIX}/lib/python*/site-packages; do
  {PREFIX}/bin/python -I /smalt/shared_files.py "$site" /smalt/requirements.txt > /tmp/shared
  while IFS='	' read -r requirement sentence; do
    echo "$sentence"
    $install $NO_INDEX --no-deps --reinstall-package "${{requirement%%[ =]*}}" "$requirement" </dev/null
  done < /tmp/shared
done
"""


async def get_image(engine: ContainerEngine, image: str, log: Log, called: str = "it") -> ContainerImage:
    """Return an image that the engine has, or pull it.

    Raises:
        ImageUnavailable: It could not be pulled; the sentence begins with `called`.
    """
    reference = engine.get_reference(image)
    found = await engine.inspect_image(reference)
    if found is None:
        log(f"pulling image '{image}'")
        lines = OutputLines(log)
        if await engine.call(["pull", reference], lines) != 0:
            raise ImageUnavailable(f"{called} could not be pulled: {_parse_reason(lines)}")
        found = await engine.inspect_image(reference)
    if found is None:
        raise ImageUnavailable(f"{called} is not there although it was pulled")
    return found


async def build_image(engine: ContainerEngine, folder: Path, dockerfile: str, tag: str, log: Log) -> ContainerImage:
    """Build a context and return its image, tagged `tag`; its size is that of its own layers."""
    if not (folder / dockerfile).is_file():
        raise EnvironmentFailed(f"the build context has no file '{dockerfile}'; name it as dockerfile_path")
    below = 0
    for image in list_bases((folder / dockerfile).read_text(errors="replace")):
        below = (await get_image(engine, image, log, f"its base image '{image}'")).size
    lines = OutputLines(log)
    arguments = ["build", "--network", "host", "--tag", tag, "--file", str(folder / dockerfile), str(folder)]
    if await engine.call(arguments, lines) != 0:
        raise EnvironmentFailed(f"its Dockerfile could not be built: {_parse_reason(lines)}")
    return _subtract_base(await _get_built_image(engine, tag), below)


async def add_packages(
    engine: ContainerEngine,
    image: ContainerImage,
    python: PythonConstraint,
    requirements: Sequence[str],
    tag: str,
    marks: Path,
    scratch: Path,
    log: Log,
) -> ContainerImage:
    """Return the image with a virtual environment of its own Python and the requirements added, tagged `tag`.

    While the container runs, `marks` has a file of its name; `scratch` is a folder for the files that go inside.

    Raises:
        ImageUnavailable: The image has no Python that is allowed.
        EnvironmentFailed: The packages could not be installed.
    """
    name = f"smalt-layer-{secrets.token_hex(6)}"
    with _write_build_files(python, requirements, scratch) as folder, hold_mark(marks / name):
        mounts = [word for place in _list_local_sources() for word in ("--volume", f"{place}:{place}:ro")]
        run = ["run", "--name", name, "--network", "host", "--user", "0:0", "--volume", f"{folder}:/smalt:ro", *mounts]
        lines = OutputLines(log)
        try:
            code = await engine.call(
                [*run, *engine.arguments, "--entrypoint", "sh", image.id, "/smalt/layer.sh"], lines
            )
            if code == _HAS_NONE:
                raise ImageUnavailable("it has no Python")
            if code == _HAS_ANOTHER:
                raise ImageUnavailable(f"it has Python {lines.seen[-1]}, not {python}")
            if code != 0:
                raise EnvironmentFailed(f"its packages could not be installed in the image: {_parse_reason(lines)}")
            if await engine.call(["commit", name, tag], lines) != 0:
                raise EnvironmentFailed(f"the image with its packages could not be kept: {_parse_reason(lines)}")
        finally:
            await engine.call([*engine.removal[len(engine.command) :], name], OutputLines(None))
    made = await _get_built_image(engine, tag)
    return replace(_subtract_base(made, image.size), path=f"{PREFIX}/bin:{image.path}")


def _subtract_base(made: ContainerImage, below: int) -> ContainerImage:
    """Reduce the size to what removing the image frees while its base image stays."""
    return replace(made, size=max(made.size - below, 0))


async def _get_built_image(engine: ContainerEngine, tag: str) -> ContainerImage:
    made = await engine.inspect_image(tag)
    if made is None:
        raise EnvironmentFailed("the engine built the image and does not have it")
    return made


@contextlib.contextmanager
def _write_build_files(python: PythonConstraint, requirements: Sequence[str], folder: Path) -> Iterator[Path]:
    """Write the files that the script reads; variables of a container would stay in the image."""
    folder.mkdir()
    try:
        told = installer.make_index_variables()
        authorities = told.pop("SSL_CERT_FILE", "")
        if os.path.isfile(authorities):
            shutil.copyfile(authorities, Path(folder, "authorities.pem"))
            told["SSL_CERT_FILE"] = told["PIP_CERT"] = "/smalt/authorities.pem"
        told["ASKED"] = "3" if python.text in ("", NEWEST) else str(python)
        told["ALLOWED"] = " ".join(f"{major}.{minor}" for major, minor in _EVERY if python.allows((major, minor)))
        told["NO_INDEX"] = "--no-index" if forbids_indexes(os.environ) else ""
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in told.items())
        Path(folder, "variables").write_text(exports)
        Path(folder, "layer.sh").write_text(_LAYER)
        shutil.copyfile(shared_files.__file__, Path(folder, "shared_files.py"))
        shutil.copy2(uv.find_uv_bin(), Path(folder, "uv"))
        local = Path(folder, "local")
        local.mkdir()
        with copy_local_files(requirements, "/tmp/smalt-local", local) as lines:
            Path(folder, "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _list_local_sources() -> list[str]:
    """Return the local folders of wheels and indexes in the settings of pip and uv, to mount at the same place."""
    told = installer.make_index_variables()
    indexes = f"{told.get('UV_DEFAULT_INDEX', '')} {told.get('UV_INDEX', '')}".split()
    paths = told.get("UV_FIND_LINKS", "").split(",")
    # Its pages name files beside it, as ../../files/…
    paths += [os.path.dirname(unquote(urlsplit(each).path).rstrip("/")) for each in indexes if each.startswith("file:")]
    return sorted({path for path in paths if path.startswith("/") and path != "/" and os.path.exists(path)})


def _parse_reason(lines: OutputLines) -> str:
    """Return uv's reason, else the last line that mentions an error, else the last line."""
    said = [line.strip() for line in lines.seen if line.strip()]
    if any(line.startswith(("error:", "× ")) for line in said):
        return read_uv_error(said)
    errors = [line for line in said if "error" in line.lower()]
    return " ".join((errors or said or ["it said nothing"])[-1].split())[:400].removeprefix("Error: ").rstrip(".")
