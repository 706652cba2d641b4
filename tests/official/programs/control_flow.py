"""Conditions and loops of pipelines, as azure.ai.ml.dsl._condition and _do_while build them: a private preview."""

import os

os.environ["AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"] = "true"  # else the client refuses the types of such steps

import desk
from azure.ai.ml import dsl, load_component
from azure.ai.ml.dsl._condition import condition
from azure.ai.ml.dsl._do_while import do_while
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


if __name__ == "__main__":
    desk.report()
