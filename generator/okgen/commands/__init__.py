"""One module a command: ``configure(parser)`` adds its options, ``run(arguments)`` does it and gives the exit code.

``MANUAL`` is what its help page says beside the options.
"""
