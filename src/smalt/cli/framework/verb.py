"""The base of all commands: the options of `az`, a name as first argument, the result on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework import arguments
from smalt.cli.output import results as output
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.client import MLClient
    from smalt.client.connection.connection import ApiConnection
    from smalt.machine.home import Home

Result = Any
Callback = Callable[..., Result]

_NAMING = frozenset({"NAME", "[NAME]", "[FILE]", "FILE", "VERSION", "LABEL", "ID"})
"""Options whose values say which thing is meant."""

_LONGEST_SENTENCE = 500
"""Characters of a verb's first sentence in the help of its noun: all of them."""

_STORING = frozenset({"create", "set", "upload", "validate"})
"""Verbs that store something new, and the rehearsal of that, make a workspace that is named and not there."""

COMMON = (
    click.Option(
        ["-w", "--workspace-name"],
        metavar="NAME",
        help="The workspace; by default the one in effect (see smalt workspace show). A unique name is enough.",
    ),
    click.Option(
        ["-g", "--resource-group"],
        metavar="NAME",
        help="Its resource group, needed if several workspaces have that name.",
    ),
    click.Option(
        ["--subscription"],
        metavar="ID",
        help="Its subscription, needed if several resource groups have that name.",
    ),
    click.Option(["-o", "--output"], type=click.Choice(output.FORMATS), help="How to print the result."),
    click.Option(["--query"], metavar="JMESPATH", help="Print only what this expression finds in the result."),
    click.Option(["--only-show-errors"], is_flag=True, help="No warnings and no progress."),
    click.Option(["--verbose"], is_flag=True, hidden=True),
    click.Option(["--debug"], is_flag=True, help="Show the traceback of an unexpected failure."),
)


class Invocation:
    """One call of a verb: its workspace, and how to print its result."""

    def __init__(self, common: dict[str, Any], columns: tuple[str, ...] = (), stores: bool = False) -> None:
        self.resource_group: str | None = common["resource_group"]
        self.workspace_name: str | None = common["workspace_name"]
        self.subscription: str | None = common["subscription"]
        self.output: str | None = common["output"]
        self.query: str | None = common["query"]
        self.quiet: bool = common["only_show_errors"]
        self.columns = columns
        self.stores = stores
        """True if the verb stores something: a named workspace that does not exist is then created."""
        self._client: MLClient | None = None
        self._connection: ApiConnection | None = None

    @property
    def client(self) -> MLClient:
        """The client of the workspace; a local server is started at its first request if none runs."""
        if self._client is None:
            self._client = self.make_client(self.workspace_name, by="named on the command line")
        return self._client

    def make_client(self, name: str | None, *, by: str) -> MLClient:
        """Return the client of the workspace that the name and the other options mean; `by` says who named it."""
        from smalt.client import MLClient
        from smalt.client.scope.workspace_choice import choose_workspace

        given = {"subscription": self.subscription, "group": self.resource_group, "workspace": name}
        is_remote = not self.connection.is_local
        found = choose_workspace(given, self.home, by=by, known=self._list_workspace_ids, is_remote=is_remote)
        client = MLClient(None, *found[:3], show_progress=not self.quiet, _makes_workspaces=self.stores)
        client.why, client.is_named = found.why, found.is_named
        return client

    def _list_workspace_ids(self) -> Iterator[str]:
        """Yield the ids of the home's workspaces; none for a token that opens one workspace only."""
        try:
            yield from (str(one["id"]) for one in self.connection.list_items("/smalt/v1/workspaces"))
        except RefusedError:
            return

    def make_registry_client(self, name: str) -> MLClient:
        """Return the client of a registry."""
        from smalt.client import MLClient

        return MLClient(subscription_id=self.subscription, resource_group_name=self.resource_group, registry_name=name)

    @property
    def connection(self) -> ApiConnection:
        """The connection to the server, for requests that belong to no workspace."""
        from smalt.client.connection.connection import ApiConnection

        if self._connection is None:
            self._connection = ApiConnection.open()
        return self._connection

    @property
    def home(self) -> Home:
        from smalt.machine.home import Home

        return Home.find()

    @property
    def has_output_options(self) -> bool:
        """True if the command line says how to print the result, so that nothing else may be printed with it."""
        return self.output is not None or self.query is not None

    @property
    def is_interactive(self) -> bool:
        """True if the result goes to a terminal, in any readable form."""
        return not self.has_output_options and sys.stdout.isatty()

    @property
    def is_table(self) -> bool:
        """True if a list of rows is printed as a table."""
        return output.choose_format([], self.output, self.query) == "table"

    def print_note(self, sentence: str) -> None:
        """Print a sentence on standard error, unless only errors are wanted."""
        if not self.quiet:
            click.echo(self.complete_commands(sentence), err=True)

    def complete_commands(self, sentence: str) -> str:
        """Return the sentence with the workspace's options added to its commands."""
        return self._client.complete_commands(sentence) if self._client is not None else sentence

    def print_hint(self, sentence: str) -> None:
        """Print a suggestion for a person at a terminal; scripts do not get it."""
        if sys.stderr.isatty():
            self.print_note(sentence)

    def confirm(self, yes: bool, question: str) -> None:
        """Ask before something is lost, unless `yes`; raises UsageError if there is no terminal to ask at."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError(
                f"{question.partition('?')[0]}? there is no terminal to ask at; add --yes to confirm"
            )
        if not click.confirm(question, err=True):
            raise click.exceptions.Exit(1)

    def print_result(self, result: Result) -> None:
        """Print a result: plain data, an entity, or several entities."""
        if result is None or self.output == "none":
            return
        from smalt.cli.output import plain_data as plain

        output.write_result(plain.to_plain_data(result), self.output, self.query, self.columns)


class Verb(click.Command):
    """A command whose callback gets the invocation and the options, and returns the result to print."""

    def __init__(
        self, name: str, callback: Callback, params: list[click.Parameter], columns: tuple[str, ...] = (), **rest: Any
    ) -> None:
        self.columns = columns
        super().__init__(
            name,
            callback=callback,
            params=[*params, *COMMON],
            context_settings={"help_option_names": ["-h", "--help"]},
            **rest,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        arguments_given, rest = args, []
        variadic = next((param for param in self.params if isinstance(param, click.Argument) and param.nargs < 0), None)
        if variadic is not None and "--" in args:  # all that follows is its, also where a name was given as an option
            place = args.index("--")
            arguments_given, rest = args[:place], args[place + 1 :]
        expanded = arguments.expand_arguments(arguments_given, options)
        if variadic is not None and variadic.required:  # else click misses what is yet to be appended
            return super().parse_args(ctx, [*expanded, "--", *rest])
        left = super().parse_args(ctx, expanded)
        if variadic is not None and rest:
            ctx.params[str(variadic.name)] = (*ctx.params[str(variadic.name)], *rest)
        return left

    def invoke(self, ctx: click.Context) -> None:
        self._check_not_empty(ctx)
        values = dict(ctx.params)
        common = {str(option.name): values.pop(str(option.name)) for option in COMMON}
        invocation = Invocation(common, self.columns, self.name in _STORING)
        if common["debug"]:
            os.environ["SMALT_DEBUG"] = "1"
        if "argument" in values:
            self._assign_argument(ctx, values)
        assert self.callback is not None
        with ctx:
            invocation.print_result(ctx.invoke(self.callback, invocation, **values))

    def _check_not_empty(self, ctx: click.Context) -> None:
        """Raise UsageError for an empty value, which is most likely an unset variable of the shell."""
        for param in self.params:
            if ctx.params.get(str(param.name)) == "" and param.metavar in _NAMING:
                given = "/".join(param.opts) if isinstance(param, click.Option) else "the argument"
                raise click.UsageError(f"{given} is empty; is a variable of the shell unset?", ctx)

    def _assign_argument(self, ctx: click.Context, values: dict[str, Any]) -> None:
        """Assign the first argument to the file, if the verb reads one and none was given, else to the name."""
        argument = values.pop("argument")
        takes_file = any(isinstance(param, FileOption) and param.first for param in self.params)
        place = "file" if takes_file and not values.get("file") else "name"
        if argument is not None and values.get(place) not in (None, argument):
            raise click.UsageError(f"two names are given, '{values[place]}' and '{argument}'; give one", ctx)
        values[place] = values.get(place) or argument
        needed = next((param for param in self.params if isinstance(param, NameOption) and param.needed), None)
        if needed is not None and not values["name"]:
            raise click.UsageError(f"say which one: {ctx.command_path} NAME", ctx)


class NameOption(click.Option):
    """The option -n/--name; `needed` if the verb has no meaning without a name (the first argument will do)."""

    def __init__(self, *args: Any, needed: bool = True, **rest: Any) -> None:
        self.needed = needed
        super().__init__(*args, **rest)


class FileOption(click.Option):
    """The option -f/--file; `first` if the first argument of the command line may stand for it."""

    def __init__(self, *args: Any, first: bool = True, **rest: Any) -> None:
        self.first = first
        super().__init__(*args, **rest)


class Noun(click.Group):
    """A group of verbs, which `@noun.verb(…)` adds."""

    def __init__(self, name: str, help: str, columns: tuple[str, ...] = ()) -> None:
        self.columns = columns
        super().__init__(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})

    def verb(
        self, name: str, *params: click.Parameter | Sequence[click.Parameter], **rest: Any
    ) -> Callable[[Callback], Callback]:
        """Return a decorator that adds a function as a verb with these options; lists of options are flattened."""

        def add(callback: Callback) -> Callback:
            rest.setdefault("help", callback.__doc__)
            rest.setdefault("columns", self.columns)
            self.add_command(Verb(name, callback, list(_flatten_parameters(params)), **rest))
            return callback

        return add

    def add_refusal(self, name: str, sentence: str) -> None:
        """Add a verb of `az ml` that smalt answers with a sentence, whatever its options."""
        self.add_command(make_refusal(name, sentence))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their whole first sentences, which click would cut off."""
        verbs = [(name, verb) for name, verb in self.commands.items() if not verb.hidden]
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(_LONGEST_SENTENCE)) for name, verb in sorted(verbs)])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from smalt.cli.framework.suggestions import suggest_verb

            verbs = [verb for verb in self.list_commands(ctx) if not self.commands[verb].hidden]
            raise click.UsageError(suggest_verb(args, verbs, ctx), ctx)
        return super().resolve_command(ctx, args)


def make_refusal(name: str, sentence: str) -> click.Command:
    """Return a command that accepts any arguments and fails with this sentence."""

    def refuse(**_: Any) -> None:
        raise click.ClickException(sentence)

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)],
        add_help_option=False,
        hidden=True,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


def _flatten_parameters(params: Sequence[click.Parameter | Sequence[click.Parameter]]) -> Iterator[click.Parameter]:
    for param in params:
        if isinstance(param, click.Parameter):
            yield param
        else:
            yield from param
