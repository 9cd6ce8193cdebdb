"""The ``keyturn`` command: its sub-commands, each imported when it is used."""

from __future__ import annotations

import typer

from service.cli.context import open_migrate_context
from service.cli.dev import dev
from service.cli.events import events
from service.cli.keys import keys_app
from service.cli.migrate import migrate_app
from service.cli.openapi import openapi
from service.cli.serve import serve
from service.cli.users import users_app

app = typer.Typer(
    name="keyturn",
    help="Authentication on DynamoDB: run it, migrate it, look after its users and keys, read what happened.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(dev)
app.command()(serve)
app.command()(openapi)
app.command()(events)
app.add_typer(migrate_app(open_migrate_context), name="migrate")
app.add_typer(keys_app, name="keys")
app.add_typer(users_app, name="users")
