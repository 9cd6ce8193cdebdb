"""The `keyturn` command, one file a subcommand."""
