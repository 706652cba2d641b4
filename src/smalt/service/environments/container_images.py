"""Images for jobs: pulled, built from a context, or with an environment's packages laid on top."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import uv

from smalt.service.environments.build_errors import EnvironmentFailed, sentence_of_uv
from smalt.service.environments.builders import shared_files, virtual_environments
from smalt.service.environments.builders.build_processes import Lines, Log
from smalt.service.environments.builders.pip_settings import forbids_indexes
from smalt.service.environments.container import marked
from smalt.service.environments.container_engine import Engine, Image
from smalt.service.environments.resolution.image_names import bases
from smalt.service.environments.resolution.python_versions import NEWEST, AskedPython
from smalt.service.environments.resolution.requirements import copied

PREFIX = "/opt/smalt-environment"
_HAS_ANOTHER, _HAS_NONE = 77, 78
"""How the script ends where the image has another Python, or none."""
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


class NotHad(EnvironmentFailed):
    """The image cannot serve here: no network, no such name, no right to it, not the Python that is asked for."""


async def provide(engine: Engine, image: str, log: Log, called: str = "it") -> Image:
    """An image that the engine has or can pull."""
    reference = engine.reference(image)
    found = await engine.inspect(reference)
    if found is None:
        log(f"pulling image '{image}'")
        lines = Lines(log)
        if await engine.call(["pull", reference], lines) != 0:
            raise NotHad(f"{called} could not be pulled: {_reason(lines)}")
        found = await engine.inspect(reference)
    if found is None:
        raise NotHad(f"{called} is not there although it was pulled")
    return found


async def build(engine: Engine, folder: Path, dockerfile: str, tag: str, log: Log) -> Image:
    """The image of a build context, under `tag`; its size is that of its own layers."""
    if not (folder / dockerfile).is_file():
        raise EnvironmentFailed(f"the build context has no file '{dockerfile}'; name it as dockerfile_path")
    below = 0
    for image in bases((folder / dockerfile).read_text(errors="replace")):
        below = (await provide(engine, image, log, f"its base image '{image}'")).size
    lines = Lines(log)
    arguments = ["build", "--network", "host", "--tag", tag, "--file", str(folder / dockerfile), str(folder)]
    if await engine.call(arguments, lines) != 0:
        raise EnvironmentFailed(f"its Dockerfile could not be built: {_reason(lines)}")
    return _above(await _made(engine, tag), below)


async def layer(
    engine: Engine,
    image: Image,
    python: AskedPython,
    requirements: Sequence[str],
    tag: str,
    marks: Path,
    scratch: Path,
    log: Log,
) -> Image:
    """The image with a virtual environment of its own Python and the requirements on top, under `tag`.

    NotHad where its Python is not what is asked for. `marks` has the container's name meanwhile, `scratch` is a
    folder for what goes inside.
    """
    name = f"smalt-layer-{secrets.token_hex(6)}"
    with _material(python, requirements, scratch) as folder, marked(marks / name):
        mounts = [word for place in _local_places() for word in ("--volume", f"{place}:{place}:ro")]
        run = ["run", "--name", name, "--network", "host", "--user", "0:0", "--volume", f"{folder}:/smalt:ro", *mounts]
        lines = Lines(log)
        try:
            code = await engine.call(
                [*run, *engine.arguments, "--entrypoint", "sh", image.id, "/smalt/layer.sh"], lines
            )
            if code == _HAS_NONE:
                raise NotHad("it has no Python")
            if code == _HAS_ANOTHER:
                raise NotHad(f"it has Python {lines.seen[-1]}, not {python}")
            if code != 0:
                raise EnvironmentFailed(f"its packages could not be installed in the image: {_reason(lines)}")
            if await engine.call(["commit", name, tag], lines) != 0:
                raise EnvironmentFailed(f"the image with its packages could not be kept: {_reason(lines)}")
        finally:
            await engine.call([*engine.removal[len(engine.command) :], name], Lines(None))
    made = await _made(engine, tag)
    return _above(made, image.size)._replace(path=f"{PREFIX}/bin:{image.path}")


def _above(made: Image, below: int) -> Image:
    """What its removal would free, the last of its base images staying."""
    return made._replace(size=max(made.size - below, 0))


async def _made(engine: Engine, tag: str) -> Image:
    made = await engine.inspect(tag)
    if made is None:
        raise EnvironmentFailed("the engine built the image and does not have it")
    return made


@contextlib.contextmanager
def _material(python: AskedPython, requirements: Sequence[str], folder: Path) -> Iterator[Path]:
    """What the script that lays the packages on top reads: files, since an image keeps what its container is told."""
    folder.mkdir()
    try:
        told = virtual_environments.index_variables()
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
        with copied(requirements, "/tmp/smalt-local", local) as lines:
            Path(folder, "requirements.txt").write_text("".join(f"{line}\n" for line in lines))
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _local_places() -> list[str]:
    """Folders of wheels and of indexes that the settings of pip and uv name: at the same place inside."""
    told = virtual_environments.index_variables()
    indexes = f"{told.get('UV_DEFAULT_INDEX', '')} {told.get('UV_INDEX', '')}".split()
    paths = told.get("UV_FIND_LINKS", "").split(",")
    # Its pages name files beside it, as ../../files/…
    paths += [os.path.dirname(unquote(urlsplit(each).path).rstrip("/")) for each in indexes if each.startswith("file:")]
    return sorted({path for path in paths if path.startswith("/") and path != "/" and os.path.exists(path)})


def _reason(lines: Lines) -> str:
    """uv's reason, or the engine's last words, those of an error before others."""
    said = [line.strip() for line in lines.seen if line.strip()]
    if any(line.startswith(("error:", "× ")) for line in said):
        return sentence_of_uv(said)
    errors = [line for line in said if "error" in line.lower()]
    return " ".join((errors or said or ["it said nothing"])[-1].split())[:400].removeprefix("Error: ").rstrip(".")
