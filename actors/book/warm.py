"""Compilation of the kernel ahead of time: `python -m actors.book.warm`, once per installation."""

from actors.book.kernel.calls import prepare


def warm() -> None:
    """Make sure that the kernel's machine code lies on disk, so that later processes load it."""
    prepare()


if __name__ == "__main__":
    warm()
