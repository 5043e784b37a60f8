"""``python -m regulars_web``: the command line, where the script is not on the path."""

from regulars_web.cli import main

if __name__ == "__main__":
    main()
