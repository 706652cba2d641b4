"""The program of every step of the model: it writes a text that tells all that it read. Standard library only.

    step.py FLAVOUR [NAME=LITERAL | NAME@FOLDER_OR_FILE | NAME%MLTABLE]… : [OUTPUT@FOLDER | OUTPUT#FOLDER]…

`OUTPUT#FOLDER` is an output that holds a number. The flavours are described at `act`.
"""

import os
import sys
import zlib

LONGEST = 70
"""Characters of a part that are written out; the rest is a checksum, so that texts stay short and readable."""


def told(flavour, reads, mark, code):
    """Return the text that a step writes: a pure function of what it read, which the oracle calls as well."""
    parts = [flavour] + [f"{name}={shown(reads[name])}" for name in sorted(reads)]
    parts += [f"MARK={mark}"] if mark else []
    parts += [f"code={code}"] if code else []
    return ";".join(parts)


def shown(value):
    """Return a literal as it is, and a tree as its names and texts, shortened."""
    if isinstance(value, str):
        return value
    text = "[" + ",".join(f"{name}:{value[name].decode()}" for name in sorted(value)) + "]"
    if len(text) > LONGEST:
        text = f"{text[:30]}~{zlib.crc32(text.encode()):08x}"
    return text


def number(text):
    """Return the number that stands for a text in an output of type integer."""
    return str(zlib.crc32(text.encode()) % 1000)


def files_of(path):
    """Return the tree at a path: names and bytes, with a * where a file can be run; a single file has the name ''."""
    if os.path.isfile(path):
        return {"": read(path)}
    if not os.path.isdir(path):
        raise SystemExit(f"there is nothing at {path}")
    tree = {}
    for folder, folders, names in os.walk(path, followlinks=True):
        folders.sort()
        for name in names:
            full = os.path.join(folder, name)
            if os.path.isfile(full):
                mark = "*" if os.access(full, os.X_OK) else ""
                tree[os.path.relpath(full, path) + mark] = read(full)
    return tree


def read(path):
    with open(path, "rb") as file:
        return file.read()


def table_of(folder):
    """Return what an MLTable names: the last part of each path, with the bytes there."""
    found = {}
    for written in named_in(read(os.path.join(folder, "MLTable")).decode()):
        for name, content in files_of(located(folder, written)).items():
            found[f"{os.path.basename(written)}/{name}"] = content
    return found


def named_in(table):
    """Return the paths that the text of an MLTable names, in flow or in block style."""
    import re

    return re.findall(r"(?:file|folder): ([^},\n]+)", table)


def located(folder, written):
    if "://" not in written:
        return os.path.join(folder, written)
    import json

    known = json.loads(os.environ["SMALT_DATA"])["url-map"]
    prefix = max((one for one in known if written.startswith(one)), key=len)
    rest = written[len(prefix) :]
    return os.path.join(known[prefix], rest) if rest else known[prefix]


def main(arguments):
    check_folders()
    flavour, middle = arguments[0], arguments.index(":")
    reads, mutable = {}, None
    for word in arguments[1:middle]:
        name, sign, value = split(word)
        if sign == "=":
            reads[name] = value
        else:
            reads[name] = files_of(value) if sign == "@" else table_of(value)
            mutable = mutable or value
    code = read("code.txt").decode() if os.path.exists("code.txt") else ""
    text = told(flavour, reads, os.environ.get("MARK", ""), code)
    outputs = {name: (sign, folder) for name, sign, folder in map(split, arguments[middle + 1 :])}
    act(flavour, text, reads, outputs, mutable)


def check_folders():
    """The folders of a job are its own and new: nothing of an earlier job is in them."""
    for name in ("outputs", "logs"):
        if os.path.islink(name) or not os.path.isdir(name) or (name == "outputs" and os.listdir(name)):
            raise SystemExit(f"{name} is not a new folder")


def split(word):
    place = min(word.index(sign) for sign in "=@%#" if sign in word)
    return word[:place], word[place], word[place + 1 :]


def act(flavour, text, reads, outputs, mutable):
    """Write the outputs, and do what else the flavour means."""
    if flavour == "flaky" and not is_again():  # leaves half an output and fails the first time
        write(outputs, "half", "f.txt")
        write(outputs, "half", "half.txt")
        raise SystemExit(4)
    if flavour == "metric":  # logs a metric computed of what it read
        log_metric("m", float(number(text)))
    if flavour == "slow":  # takes a while
        pause(0.3)
    if flavour == "trap":  # leaves half an output and ends well when it is told to end
        import signal

        signal.signal(signal.SIGTERM, lambda *_: (write(outputs, "half", "f.txt"), os._exit(0)))
        pause(0.4)
    if flavour.startswith("wreck"):  # puts files, or links, in the place of its own folders
        for name in ("outputs", "logs"):
            os.rename(name, f"own-{name}")
            os.symlink(f"own-{name}", name) if flavour == "wreck-link" else open(name, "w").close()
    if flavour == "greedy":  # writes into what it reads
        target = mutable if os.path.isfile(mutable) else os.path.join(mutable, sorted(files_of(mutable))[0].rstrip("*"))
        with open(target, "a") as file:
            file.write("+greedy")
    if flavour == "art":  # leaves a file that is not an output
        with open("outputs/art.txt", "w") as file:
            file.write(text)
    write(outputs, text, f"{reads['w']}.txt" if flavour == "named" else "f.txt")
    if flavour == "swap":  # puts a link in the place of its output
        folder = outputs["o"][1].rstrip("/")
        os.rename(folder, "real")
        os.symlink(os.path.abspath("real"), folder)
    if flavour == "loop":  # leaves a link that leads to itself
        os.symlink("loop", os.path.join(outputs["o"][1], "loop"))
    if flavour == "fail":
        raise SystemExit(3)


def is_again():
    """Return whether this job has run before; the next one is a first one."""
    mark = os.path.join(os.environ["FLAKY"], "flaky-" + os.environ["AZUREML_RUN_ID"])
    try:
        os.remove(mark)
    except FileNotFoundError:
        open(mark, "w").close()
        return False
    return True


def log_metric(name, value):
    """Log a metric by MLflow's REST API; what does not answer yet, or no more, is asked again, as by MLflow."""
    import json
    import urllib.error
    import urllib.request

    body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": name, "value": value, "timestamp": 1, "step": 0}
    url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
    for _ in range(200):
        try:
            urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise SystemExit(error.read().decode()) from error
        except OSError:
            pass
        pause(0.1)
    raise SystemExit("no answer to a metric")


def pause(seconds):
    import time

    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)


def write(outputs, text, name):
    for sign, folder in outputs.values():
        with open(os.path.join(folder, "output" if sign == "#" else name), "w") as file:
            file.write(number(text) if sign == "#" else text)


if __name__ == "__main__":
    main(sys.argv[1:])
