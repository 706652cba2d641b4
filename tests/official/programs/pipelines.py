"""Pipeline jobs."""

import subprocess
import textwrap

import desk
from azure.ai.ml import Input, Output, command, dsl, load_component, load_job
from azure.ai.ml.entities import PipelineJob
from desk import HOST, done, folder, ml, refused, streamed, waited, write

COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: {name}
version: "1"
type: command
inputs:
  data: {{type: uri_folder}}
  lr: {{type: number, default: 0.1}}
outputs:
  out: {{type: uri_folder}}
code: ./{name}
environment: azureml:host@latest
command: python main.py ${{{{inputs.data}}}} ${{{{inputs.lr}}}} ${{{{outputs.out}}}}
"""
MAIN = """
import pathlib, sys
data, lr, out = sys.argv[1:]
text = pathlib.Path(data, "chain.txt").read_text().strip() + " > {name} " + lr
pathlib.Path(out, "chain.txt").write_text(text)
print(text)
"""
made: dict[str, str] = {}


def components() -> list:
    """Three components, from YAML files."""
    for name in ("prep", "train", "score"):
        write(f"{name}.yml", COMPONENT.format(name=name))
        write(f"{name}/main.py", MAIN.format(name=name))
    write("raw/chain.txt", "raw")
    return [load_component(folder / f"{name}.yml") for name in ("prep", "train", "score")]


def raw() -> Input:
    return Input(type="uri_folder", path=str(folder / "raw"))


def it_runs_three_components_and_passes_data_on() -> None:
    """A @pipeline of YAML components, with an output of its own."""
    prep, train, score = components()

    @dsl.pipeline(compute="cpu-cluster", description="three steps", tags={"team": "x"})
    def three(raw_data, lr):
        p = prep(data=raw_data, lr=lr)
        t = train(data=p.outputs.out)
        s = score(data=t.outputs.out, lr=0.25)
        return {"final": s.outputs.out}

    job = three(raw_data=raw(), lr=0.5)
    job.settings.force_rerun = True
    job.experiment_name = "pipes"
    sent = ml.jobs.create_or_update(job)
    made["three"] = sent.name
    assert "Execution Summary" in streamed(sent.name)
    over = ml.jobs.get(sent.name)
    assert (over.status, over.type, sorted(over.jobs)) == ("Completed", "pipeline", ["p", "s", "t"])
    ml.jobs.download(sent.name, download_path=folder / "final", output_name="final")
    text = (folder / "final/named-outputs/final/chain.txt").read_text()
    assert text == "raw > prep 0.5 > train 0.1 > score 0.25", text


def it_lists_children() -> None:
    """Each is a job that can be got, streamed and downloaded."""
    children = list(ml.jobs.list(parent_job_name=made["three"]))
    assert len(children) == 3, children
    assert {child.status for child in children} == {"Completed"}
    name = next(child.name for child in children if child.display_name == "p" or child.name.endswith("-p"))
    assert ml.jobs.get(name).status == "Completed"
    assert "raw > prep 0.5" in streamed(name)
    ml.jobs.download(name, download_path=folder / "child")
    assert "raw > prep" in (folder / "child/artifacts/user_logs/std_log.txt").read_text()


def it_archives_a_pipeline() -> None:
    """And takes it back."""
    ml.jobs.archive(made["three"])
    assert made["three"] not in [job.name for job in ml.jobs.list()]
    ml.jobs.restore(made["three"])
    assert made["three"] in [job.name for job in ml.jobs.list()]


def it_takes_a_fetched_pipeline_back() -> None:
    """The same job, described anew."""
    job = ml.jobs.get(made["three"])
    job.description = "again"
    again = ml.jobs.create_or_update(job)
    assert (again.name, again.description) == (made["three"], "again")


def it_runs_a_pipeline_inside_a_pipeline() -> None:
    """With data in and out of the inner one."""
    prep, train, score = components()

    @dsl.pipeline()
    def inner(data: Input(type="uri_folder"), lr: float = 0.3):
        p = prep(data=data, lr=lr)
        t = train(data=p.outputs.out, lr=lr)
        return {"out": t.outputs.out}

    @dsl.pipeline(compute="cpu-cluster")
    def outer(data: Input(type="uri_folder")):
        first = inner(data=data)
        last = score(data=first.outputs.out, lr=0.9)
        return {"final": last.outputs.out}

    over = done(ml.jobs.create_or_update(outer(data=raw())))
    ml.jobs.download(over.name, download_path=folder / "nested", output_name="final")
    text = (folder / "nested/named-outputs/final/chain.txt").read_text()
    assert text == "raw > prep 0.3 > train 0.3 > score 0.9", text


def it_runs_inline_commands_and_registers_an_output() -> None:
    """`command()` as a node; its output becomes a data asset."""
    write("say/say.py", "import sys; open(sys.argv[1] + '/said.txt', 'w').write(sys.argv[2])")
    say = command(
        code=str(folder / "say"),
        command="python say.py ${{outputs.out}} ${{inputs.word}}",
        environment=HOST,
        inputs={"word": "hello"},
        outputs={"out": Output(type="uri_folder")},
    )

    @dsl.pipeline(compute="cpu-cluster")
    def inline():
        node = say(word="inline")
        node.outputs.out = Output(type="uri_folder", name="said", version="1")

    done(ml.jobs.create_or_update(inline()))
    assert ml.data.get("said", "1").type == "uri_folder"

    @dsl.pipeline(compute="cpu-cluster")
    def reading(said):
        read = command(
            command="cat ${{inputs.said}}/said.txt", environment=HOST, inputs={"said": Input(type="uri_folder")}
        )
        read(said=said)

    job = ml.jobs.create_or_update(reading(said=Input(type="uri_folder", path="azureml:said:1")))
    done(job)
    (child,) = ml.jobs.list(parent_job_name=job.name)
    assert "inline" in streamed(child.name)


def it_runs_a_pipeline_from_yaml() -> None:
    """`load_job` with inline and file components, and a registered one."""
    prep, _, _ = components()
    ml.components.create_or_update(prep)
    write(
        "pipeline.yml",
        """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
inputs:
  raw: {type: uri_folder, path: ./raw}
settings: {default_compute: azureml:cpu-cluster}
jobs:
  one: {type: command, component: azureml:prep:1, inputs: {data: "${{parent.inputs.raw}}", lr: 1}}
  two: {type: command, component: ./train.yml, inputs: {data: "${{parent.jobs.one.outputs.out}}"}}
  three:
    type: command
    command: cat ${{inputs.data}}/chain.txt
    environment: azureml:host@latest
    inputs: {data: {type: uri_folder, path: "${{parent.jobs.two.outputs.out}}"}}
""",
    )
    over = done(ml.jobs.create_or_update(load_job(folder / "pipeline.yml")))
    name = next(child.name for child in ml.jobs.list(parent_job_name=over.name) if child.name.endswith("three"))
    assert "raw > prep 1" in streamed(name)


def it_cancels_a_pipeline() -> None:
    """With its steps."""
    sleep = command(command="sleep 600", environment=HOST)

    @dsl.pipeline(compute="cpu-cluster")
    def long():
        sleep()

    job = ml.jobs.create_or_update(long())
    waited(ml.jobs.begin_cancel(job.name))
    assert ml.jobs.get(job.name).status == "Canceled"


def it_reads_jobs_that_smalt_made() -> None:
    """Whose inputs may be this machine's own files, and whose outputs may be values."""
    write("own/in.txt", "local")
    step = "command: cat ${{inputs.d}}\nenvironment: azureml:host@latest\ninputs: {d: {type: uri_file, path: ./in.txt}}"
    values = "echo v | tee ${{outputs.said}}/output > ${{outputs.also}}/output; cat "
    write("own/command.yml", f"type: command\n{step}\n")
    write(
        "own/pipeline.yml",
        f"""
type: pipeline
inputs:
  d: {{type: uri_file, path: ./in.txt}}
outputs:
  said: {{type: string}}
jobs:
  one:
    {step.replace("cat ", values).replace(chr(10), chr(10) + "    ")}
    outputs:
      said: "${{{{parent.outputs.said}}}}"
      also: {{type: string}}
  two:
    {step.replace("./in.txt", '"${{parent.inputs.d}}"').replace(chr(10), chr(10) + "    ")}
""",
    )
    place = ["--subscription", "my-subscription", "-g", "my-group", "-w", ml.workspace_name]
    for file in ("command", "pipeline"):
        made = ["az", "ml", "job", "create", "-f", str(folder / f"own/{file}.yml"), "--name", f"own-{file}", *place]
        subprocess.run(made, check=True)
        job = ml.jobs.get(f"own-{file}")
        assert f"own-{file}" in [job.name for job in ml.jobs.list()]
        streamed(job.name)
        if hasattr(ml.jobs, "update"):  # clients before 1.30 send all of it again, the environment by another name
            job.description = "described"
            again = ml.jobs.create_or_update(job)
            assert (again.name, again.description) == (job.name, "described")
        for child in ml.jobs.list(parent_job_name=job.name):
            assert ml.jobs.get(child.name).name == child.name


def it_runs_the_steps_of_a_registered_pipeline_component() -> None:
    """By its id beside empty `jobs`; what is not there is refused, and `.settings` can be set."""
    write(
        "hello.yml",
        """
type: pipeline
name: hello
version: "1"
inputs: {word: {type: string, default: hi}}
outputs: {said: {type: uri_folder}}
jobs:
  say:
    type: command
    environment: azureml:host@latest
    inputs: {w: "${{parent.inputs.word}}"}
    command: echo ${{inputs.w}}; touch ${{outputs.o}}/f
    outputs: {o: "${{parent.outputs.said}}"}
""",
    )
    ml.components.create_or_update(load_component(folder / "hello.yml"))
    registered = ml.components.get("hello", "1")
    by_id = PipelineJob(component=registered.id, inputs={"word": "by id"})
    called = registered(word="called")
    called.settings.default_compute = "cpu-cluster"
    for job, word in ((by_id, "by id"), (called, "called")):
        over = done(ml.jobs.create_or_update(job))
        children = [child.name for child in ml.jobs.list(parent_job_name=over.name)]
        assert len(children) == 1, children
        assert word in streamed(children[0])
        again = ml.jobs.get(over.name)
        assert again.settings is not None
        assert "hello" in str(again.component) or list(again.jobs) == ["say"]
    nothing = PipelineJob(component=registered.id.replace("hello", "nosuch"))
    assert "nosuch" in desk.refused(lambda: ml.jobs.create_or_update(nothing))
    unknown = PipelineJob(component=registered.id, inputs={"wort": "x"})
    assert "no input 'wort'" in desk.refused(lambda: ml.jobs.create_or_update(unknown))


def it_names_prebuilt_components() -> None:
    """The server knows their ports; the client sends the reference as it is written."""
    write("cars.csv", "make,price\naudi,1\n")
    text = """
        type: pipeline
        settings: {{default_compute: azureml:cpu-cluster}}
        jobs:
          split:
            component: azureml://registries/smalt/components/split_data/{}
            inputs: {{dataset: {{type: uri_file, path: ./cars.csv}}, fraction: 1.5}}
        """
    for version in ("labels/latest", "versions/1"):
        job = load_job(write("split.yml", textwrap.dedent(text.format(version))))
        message = refused(lambda job=job: ml.jobs.create_or_update(job))
        assert "'fraction' must be at most 1" in message, message


desk.report()
