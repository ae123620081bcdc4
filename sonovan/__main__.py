"""`python -m sonovan`: the same as the command `sonovan`."""

from sonovan.cli import main

if __name__ == "__main__":
    main()
