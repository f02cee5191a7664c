"""``python -m bestsubset``."""

from bestsubset.cli.main import main

if __name__ == "__main__":
    main()
