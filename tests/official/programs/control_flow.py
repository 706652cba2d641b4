"""Conditions and loops of pipelines, as azure.ai.ml.dsl._condition and _do_while build them: a private preview."""

import os

os.environ["AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"] = "true"  # else the client refuses the types of such steps

import desk
from azure.ai.ml import Input, dsl, load_component
from azure.ai.ml.dsl._condition import condition
from azure.ai.ml.dsl._do_while import do_while
from azure.ai.ml.dsl._parallel_for import parallel_for
from desk import HOST, done, folder, ml, write

COUNT = f"""
name: count_up
version: "1"
type: command
inputs:
  n: {{type: integer}}
  before: {{type: uri_folder, optional: true}}
outputs:
  next: {{type: integer, is_control: true}}
  more: {{type: boolean, is_control: true}}
  text: {{type: uri_folder}}
environment: {HOST}
command: >-
  n=$((${{{{inputs.n}}}} + 1)); mkdir -p ${{{{outputs.next}}}} ${{{{outputs.more}}}} ${{{{outputs.text}}}};
  echo $n > ${{{{outputs.next}}}}/output; [ $n -lt 3 ] && m=true || m=false; echo $m > ${{{{outputs.more}}}}/output;
  $[[cp ${{{{inputs.before}}}}/text ${{{{outputs.text}}}}/text;]] echo $n >> ${{{{outputs.text}}}}/text
"""
JUDGE = f"""
name: judge
version: "1"
type: command
inputs:
  good: {{type: boolean}}
outputs:
  flag: {{type: boolean, is_control: true}}
environment: {HOST}
command: mkdir -p ${{{{outputs.flag}}}}; echo ${{{{inputs.good}}}} > ${{{{outputs.flag}}}}/output
"""
SAY = f"""
name: say
version: "1"
type: command
inputs:
  word: {{type: string}}
  text: {{type: uri_folder, optional: true}}
outputs:
  said: {{type: uri_folder}}
environment: {HOST}
command: >-
  $[[cat ${{{{inputs.text}}}}/text;]] mkdir -p ${{{{outputs.said}}}};
  echo ${{{{inputs.word}}}} > ${{{{outputs.said}}}}/text
"""


SPELL = f"""
name: spell
version: "1"
type: command
inputs:
  word: {{type: string}}
  text: {{type: uri_folder}}
outputs:
  said: {{type: uri_folder}}
  length: {{type: integer}}
environment: {HOST}
command: >-
  mkdir -p ${{{{outputs.said}}}} ${{{{outputs.length}}}}; w=${{{{inputs.word}}}};
  cat ${{{{inputs.text}}}}/text > ${{{{outputs.said}}}}/text; echo $w >> ${{{{outputs.said}}}}/text;
  echo ${{#w}} > ${{{{outputs.length}}}}/output
"""
MERGE = f"""
name: merge
version: "1"
type: command
inputs:
  all: {{type: mltable}}
  lengths: {{type: string}}
outputs:
  merged: {{type: uri_folder}}
environment: {HOST}
command: >-
  cat ${{{{inputs.all}}}}/MLTable ${{{{inputs.all}}}}/*/text > ${{{{outputs.merged}}}}/text;
  echo '${{{{inputs.lengths}}}}' >> ${{{{outputs.merged}}}}/text
"""


LIST = f"""
name: listing
version: "1"
type: command
outputs:
  listed: {{type: string}}
environment: {HOST}
command: >-
  mkdir -p ${{{{outputs.listed}}}}; echo '[{{"word": "x"}}, {{"word": "y"}}]' > ${{{{outputs.listed}}}}/output
"""


def load(text: str):
    name = text.split()[1]
    return load_component(write(f"{name}.yml", text))


def list_names(job) -> set[str]:
    """The names of all jobs below a job, without its own."""
    names = set()
    for child in ml.jobs.list(parent_job_name=job.name):
        names |= {child.name} | list_names(child)
    return names


def it_runs_the_block_that_the_condition_chooses() -> None:
    """condition() of a node with one boolean output; the step of the other block is no job."""
    judge, say = load(JUDGE), load(SAY)

    @dsl.pipeline(compute="cpu-cluster")
    def choosing(good: bool):
        decision = judge(good=good)
        yes, no = say(word="yes"), say(word="no")
        condition(decision, true_block=yes, false_block=no)

    job = choosing(good=False)
    job.experiment_name = "control"
    over = done(ml.jobs.create_or_update(job))
    names = list_names(over)
    assert any(name.endswith("-no") for name in names), names
    assert not any(name.endswith("-yes") for name in names), names


def it_repeats_a_step_until_its_condition_is_false() -> None:
    """do_while() with a mapping by ports; what reads the body's output reads that of the last iteration."""
    count, say = load(COUNT), load(SAY)

    @dsl.pipeline(compute="cpu-cluster")
    def repeating():
        body = count(n=0)
        do_while(
            body=body,
            condition=body.outputs.more,
            mapping={body.outputs.next: body.inputs.n, body.outputs.text: body.inputs.before},
            max_iteration_count=5,
        )
        after = say(word="end", text=body.outputs.text)
        return {"said": after.outputs.said, "counted": body.outputs.text}

    job = repeating()
    job.experiment_name = "control"
    over = done(ml.jobs.create_or_update(job))
    names = list_names(over)
    assert sum("body-" in name for name in names) == 3, names
    ml.jobs.download(over.name, output_name="counted", download_path=str(folder / "got"))
    (file,) = (folder / "got").rglob("text")
    assert file.read_text() == "1\n2\n3\n"


def it_runs_a_step_for_each_item() -> None:
    """parallel_for() over a mapping with data and an input of the pipeline; its outputs are gathered."""
    spell, merge = load(SPELL), load(MERGE)
    write("words/text", "hello\n")

    @dsl.pipeline(compute="cpu-cluster")
    def looping(text: Input):
        body = spell()
        loop = parallel_for(
            body=body,
            items={"one": {"word": "ab", "text": text}, "two": {"word": "abc", "text": text}},
            max_concurrency=1,
        )
        after = merge(all=loop.outputs.said, lengths=loop.outputs.length)
        return {"merged": after.outputs.merged, "all": loop.outputs.said}

    job = looping(text=Input(type="uri_folder", path=str(folder / "words")))
    job.experiment_name = "control"
    over = done(ml.jobs.create_or_update(job))
    names = list_names(over)
    assert {name.rpartition("-")[2] for name in names if "body-" in name} == {"one", "two"}, names
    ml.jobs.download(over.name, output_name="merged", download_path=str(folder / "merged"))
    (file,) = (folder / "merged").rglob("text")
    paths = "type: mltable\npaths:\n  - folder: ./one\n  - folder: ./two\n"
    assert file.read_text() == f'{paths}hello\nab\nhello\nabc\n{{"one": 2, "two": 3}}\n'
    assert ml.jobs.get(over.name).outputs["all"].type == "mltable"


def it_reads_items_from_a_step() -> None:
    """The items are JSON text that an earlier step writes; the body is a pipeline."""
    say, spell = load(SAY), load(SPELL)
    listing = load_component(write("listing.yml", LIST))

    @dsl.pipeline()
    def part(word: str, text: Input):
        one = spell(word=word, text=text)
        return {"said": one.outputs.said}

    @dsl.pipeline(compute="cpu-cluster")
    def looping():
        found, start = listing(), say(word="hello")
        body = part(text=start.outputs.said)
        loop = parallel_for(body=body, items=found.outputs.listed)
        return {"all": loop.outputs.said}

    job = looping()
    job.experiment_name = "control"
    over = done(ml.jobs.create_or_update(job))
    ml.jobs.download(over.name, output_name="all", download_path=str(folder / "all"))
    texts = sorted(file.read_text() for file in (folder / "all").rglob("text"))
    assert texts == ["hello\nx\n", "hello\ny\n"], texts


if __name__ == "__main__":
    desk.report()
