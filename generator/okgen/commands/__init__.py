"""One module a command: ``configure(parser)`` adds its options, ``run(arguments)`` does it and gives the exit code."""
